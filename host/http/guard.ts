// Who may call the control plane (docs/access.md): the bearer of a token, or a loopback peer when the host has
// none of its own; in both cases only under the host's own name, and never from a web page that is not configured
// or, without a token, a function. A function's page, another site or a rebound DNS name must not steer it.

import { BlockList, isIP } from "node:net";
import type { Tokens } from "../access/tokens.ts";
import type { Who } from "../audit-entry.ts";
import { HostError } from "../errors.ts";
import type { Token } from "../token.ts";
import { bearerIn } from "./bearer.ts";
import { hostName } from "./target.ts";

export type Caller = {
  /** The socket's own peer and local address; "" when unknown. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly header: (name: string) => string | undefined;
};

export type GuardBounds = {
  /** Whether the host has a token of its own: then nobody is let in without one. */
  readonly hasRoot: boolean;
  readonly tokens: Pick<Tokens, "find" | "any">;
  readonly hostNames: readonly string[];
  /** Of pages that may call, `https://console.example.org`. */
  readonly origins: readonly string[];
};

/** Who a caller has turned out to be. */
export type Identity = {
  readonly who: Who;
  /** Null: he may do all. */
  readonly token: Token | null;
};

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Throws unless the caller is one of those who may use the control plane, for what else he may is to be seen. */
export function identify(caller: Caller, bounds: GuardBounds): Identity {
  assertOwnName(caller, bounds);
  return identifyScraper(caller, bounds);
}

/** As `identify`, under any name: for `/metrics`, which scrapers reach by names of their own. */
export function identifyScraper(caller: Caller, bounds: GuardBounds): Identity {
  const isPage = assertNoStrangePage(caller, bounds);
  return known(caller, bounds, isPage);
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

/** Whether it is a page that is configured; throws for any other. */
function assertNoStrangePage(caller: Caller, { origins }: GuardBounds): boolean {
  const site = caller.header("sec-fetch-site");
  const origin = caller.header("origin");
  if (origin !== undefined && origins.includes(origin)) return true;
  const page = origin !== undefined || (site !== undefined && site !== "none");
  if (page) {
    throw new HostError(
      "origin_refused",
      "The control plane does not answer web pages; start the host with --origin to let those of one in",
    );
  }
  return false;
}

function known(caller: Caller, bounds: GuardBounds, isPage: boolean): Identity {
  const { hasRoot, tokens } = bounds;
  const authorization = caller.header("authorization");
  // Whoever sends a token is known by that, wherever he is; a page by nothing else.
  if (hasRoot || isPage || (authorization !== undefined && tokens.any)) {
    const found = tokens.find(bearerIn(authorization));
    if (found === null) throw new HostError("unauthorized", "The control plane needs a token that it knows");
    return found === "root" ? { who: "root", token: null } : { who: `token ${found.id}`, token: found };
  }
  // What a function may reach on this machine does not make it the one who runs the host.
  if (caller.header("x-mayfly-function") !== undefined) {
    throw new HostError(
      "origin_refused",
      "Without a token the control plane does not answer functions; start the host with --token",
    );
  }
  const forwarded = caller.header("forwarded") ?? caller.header("x-forwarded-for");
  if (isLoopback(plainAddress(caller.remoteAddress)) && forwarded === undefined) {
    return { who: "local", token: null };
  }
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
