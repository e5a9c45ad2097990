// What a thread has to tell the pool, gathered and sent in one message: waking the other side and a
// message's fixed price are most of what an answer costs.

import type { MessagePort } from "node:worker_threads";
import type { CallAnswer, ErrandNews, FromThread, WaitNews } from "./protocol.ts";

/** Answers up to this size are cloned, larger ones are moved: moving has a fixed price. */
const clonedBytesMax = 16_384;

export class Outbox {
  readonly #port: MessagePort;
  #answers: CallAnswer[] = [];
  #boxes: number[] = [];
  #waits: WaitNews[] = [];
  #errands: ErrandNews[] = [];
  #moved: ArrayBuffer[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  answer(answer: CallAnswer): void {
    this.#answers.push(answer);
    if (answer.kind === "answered" && answer.message.byteLength > clonedBytesMax) {
      this.#moved.push(answer.message.buffer);
    }
  }

  /** An answer lies in this box. */
  boxed(box: number): void {
    this.#boxes.push(box);
  }

  waits(slot: number, waiting: boolean): void {
    this.#waits.push({ slot, waiting });
  }

  errand(news: ErrandNews): void {
    this.#errands.push(news);
    this.#moved.push(news.message.buffer);
  }

  /** Sends what there is. A guest on an errand waits: there is news of that too. */
  readonly flush = (): void => {
    if (this.#answers.length === 0 && this.#boxes.length === 0 && this.#waits.length === 0) return;
    const news: FromThread = {
      kind: "news",
      answers: this.#answers,
      boxes: this.#boxes,
      waits: this.#waits,
      errands: this.#errands,
    };
    this.#port.postMessage(news, this.#moved);
    this.#answers = [];
    this.#boxes = [];
    this.#waits = [];
    this.#errands = [];
    this.#moved = [];
  };
}
