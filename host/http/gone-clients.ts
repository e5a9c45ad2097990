// Tells the calls of a connection that it is closed: nobody is left to answer. By connection, with one
// listener each, because an answer that is queued behind another is told nothing of it.

import type { Socket } from "node:net";

export class GoneClients {
  readonly #waiting = new WeakMap<Socket, Set<() => void>>();

  /** Calls `onGone` when the connection closes, at once if it has; disposing ends that. */
  watch(socket: Socket, onGone: () => void): Disposable {
    if (socket.destroyed) {
      onGone();
      return { [Symbol.dispose]: () => {} };
    }
    const waiting = this.#of(socket);
    waiting.add(onGone);
    return { [Symbol.dispose]: () => void waiting.delete(onGone) };
  }

  #of(socket: Socket): Set<() => void> {
    let waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      const all = new Set<() => void>();
      waiting = all;
      this.#waiting.set(socket, all);
      socket.once("close", () => {
        for (const onGone of all) onGone();
      });
    }
    return waiting;
  }
}
