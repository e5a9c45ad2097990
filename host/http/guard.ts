// Who may call the control plane (docs/configuration.md): the token, or a loopback peer when there is none; in
// both cases only under the host's own name, and never from a web page or, without a token, a
// function. A function's page, another site or a rebound DNS name must not steer it.

import { createHash, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { HostError } from "../errors.ts";
import { hostName } from "./target.ts";

export type Caller = {
  /** The socket's own peer and local address; "" when unknown. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly header: (name: string) => string | undefined;
};

export type GuardBounds = { readonly token: string | null; readonly hostNames: readonly string[] };

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Throws unless the caller may use the control plane. */
export function assertMayCall(caller: Caller, bounds: GuardBounds): void {
  assertOwnName(caller, bounds);
  assertNoPage(caller);
  assertKnown(caller, bounds);
}

/** As `assertMayCall`, under any name: for `/metrics`, which scrapers reach by names of their own. */
export function assertMayScrape(caller: Caller, bounds: GuardBounds): void {
  assertNoPage(caller);
  assertKnown(caller, bounds);
}

function assertOwnName(caller: Caller, bounds: GuardBounds): void {
  const name = hostName(caller.header("host") ?? "");
  if (isOwnName(name, caller.localAddress, bounds.hostNames)) return;
  throw new HostError(
    "origin_refused",
    `The control plane does not answer to the name ${JSON.stringify(name.slice(0, 80))}; start the host with --host-name to add it`,
  );
}

/** Whether the control plane answers to a name. */
export function isOwnName(name: string, localAddress: string, hostNames: readonly string[]): boolean {
  return (
    name === "localhost" ||
    (isIP(name) !== 0 && (isLoopback(name) || name === plainAddress(localAddress))) ||
    hostNames.includes(name)
  );
}

function assertNoPage(caller: Caller): void {
  const site = caller.header("sec-fetch-site");
  const page = caller.header("origin") !== undefined || (site !== undefined && site !== "none");
  if (page) throw new HostError("origin_refused", "The control plane does not answer web pages");
}

function assertKnown(caller: Caller, bounds: GuardBounds): void {
  if (bounds.token !== null) {
    const [, sent = ""] = /^Bearer +(\S+) *$/i.exec(caller.header("authorization") ?? "") ?? [];
    if (sameText(sent, bounds.token)) return;
    throw new HostError("unauthorized", "The control plane needs the host's token");
  }
  // What a function may reach on this machine does not make it the one who runs the host.
  if (caller.header("x-mayfly-function") !== undefined) {
    throw new HostError(
      "origin_refused",
      "Without a token the control plane does not answer functions; start the host with --token",
    );
  }
  const forwarded = caller.header("forwarded") ?? caller.header("x-forwarded-for");
  if (isLoopback(plainAddress(caller.remoteAddress)) && forwarded === undefined) return;
  throw new HostError("loopback_only", "Without a token the control plane answers only this machine");
}

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** An IPv4 address that arrived on an IPv6 socket, as IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Compares in constant time, whatever the lengths. */
function sameText(one: string, other: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}
