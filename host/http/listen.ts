// Where the host listens: on a socket that it was given, or on one of its own. And how it stops
// to. Called by `main.ts`, each once.

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { HostConfig } from "../config.ts";

/** On the inherited descriptor where there is one; resolves with how the host is reached. */
export async function listen(
  server: Server,
  config: Pick<HostConfig, "host" | "port">,
  listenFd: number | undefined,
): Promise<{ url: string; localUrl: string }> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      listenFd === undefined ? { host: config.host, port: config.port } : { fd: listenFd, backlog: 511 },
      resolve,
    );
  });
  const { address, port, family } = server.address() as AddressInfo;
  const urlOf = (name: string): string => `http://${family === "IPv6" ? `[${name}]` : name}:${port}`;
  const local = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return { url: urlOf(address), localUrl: urlOf(local) };
}

/**
 * Until `drained`, for `drainTimeoutMs` at most, whoever comes is told that the host ends: a balancer that asks,
 * and a client that would else wait for nothing. Then no connection is taken, and what is open a second later is
 * cut off.
 */
export async function endServer(
  server: Server,
  drained: Promise<unknown>,
  drainTimeoutMs: number,
): Promise<void> {
  server.closeIdleConnections();
  await Promise.race([drained, setTimeout(drainTimeoutMs, undefined, { ref: false })]);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.race([closed, setTimeout(1_000, undefined, { ref: false })]);
  server.closeAllConnections();
}
