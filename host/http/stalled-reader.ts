// Cuts off a client that asks and does not read (docs/threat-model.md B9): its answers would stay in
// memory for as long as it likes. A slow reader is waited for, one that stands still is not.

import type { ServerResponse } from "node:http";

/**
 * A listener for a response's `prefinish`, when all of it has been handed to the socket: at its end,
 * or, when it was queued behind answers to earlier requests, as soon as its turn came.
 */
export function cutStalledReader(stallTimeoutMs: number): (this: ServerResponse) => void {
  return function () {
    const { socket } = this;
    if (socket === null || socket.writableLength === 0) return;
    // The socket's timer passes over a time in which bytes left; at its end Node destroys the socket.
    socket.setTimeout(stallTimeoutMs);
    // Before Node's own listener: that one sets the bound on keeping the connection alive, or hands it
    // to the next answer, which either goes out at once and comes by here, or may take its time.
    this.prependOnceListener("finish", () => socket.setTimeout(0));
  };
}
