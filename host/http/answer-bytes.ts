// Counts the answers that wait for their readers against the room for bodies. One read of a socket
// can hold a thousand pipelined requests, and their answers would all be in memory at once.

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { BodyBudget, BodyShare } from "./body-budget.ts";

/** Smaller answers are not counted: what they come to is bounded by the calls that may be live. */
const countedBytesMin = 65_536;

export class AnswerBytes {
  readonly #bodies: BodyBudget;
  /** By connection: an answer that is still queued when its connection goes is told nothing of it. */
  readonly #shares = new WeakMap<Socket, BodyShare>();

  constructor(bodies: BodyBudget) {
    this.#bodies = bodies;
  }

  /** Holds room for an answer until it is written or its connection is gone; throws `overloaded`. */
  hold(socket: Socket, response: ServerResponse, bytes: number): void {
    if (bytes < countedBytesMin || socket.destroyed) return;
    const share = this.#shareOf(socket);
    share.add(bytes);
    response.once("finish", () => share.remove(bytes));
  }

  #shareOf(socket: Socket): BodyShare {
    let share = this.#shares.get(socket);
    if (share === undefined) {
      share = this.#bodies.share();
      this.#shares.set(socket, share);
      socket.once("close", share[Symbol.dispose]);
    }
    return share;
  }
}
