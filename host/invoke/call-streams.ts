// The bodies of a call on a thread that go to and fro while it runs: from the thread's messages to
// whoever made the call, and back. What is under way of each is bounded (chunk-buffer.ts): a side that is
// ahead of the other waits. Called by the pool; knows neither HTTP nor the limits of a call.

import { ChunkBuffer, movedWith, windowBytes } from "../chunk-buffer.ts";
import type { StreamNews } from "../worker/protocol.ts";
import type { Posted, Thread } from "./thread.ts";

/** What a call's bodies are to whoever made it. */
export type CallStreams = {
  /** Whether the body of its request comes when its guest asks for it, in place of lying in the message. */
  readonly bodyComes: boolean;
  /** Its answer has begun: a response message without a body. */
  head(begun: Extract<StreamNews, { kind: "head" }>): void;
  /** Further bytes of the answer, in memory that is the thread's again once `taken` has been called. */
  chunk(bytes: Uint8Array, taken: () => void): void;
  /** Its guest wants the body of the request. */
  pull(into: BodyPost): void;
};

/** Acts on a thread's news of a call that it holds, unless somebody has answered for it. */
export function streamed(thread: Thread, news: StreamNews): void {
  const posted = thread.posted.get(news.slot);
  if (posted === undefined || posted.settled) return;
  const { slot, call } = posted;
  switch (news.kind) {
    case "head":
      return call.streams.head(news);
    case "chunk": {
      const { byteLength: bytes } = news.chunk;
      const moved = movedWith(news.chunk);
      return call.streams.chunk(news.chunk, () => {
        // The slot may be another call's by now.
        if (thread.posted.get(slot) !== posted) return;
        thread.send({ kind: "taken", slot, bytes, buffer: moved[0] ?? null }, moved);
      });
    }
    case "pull":
      posted.body = new BodyPost(thread, posted);
      return call.streams.pull(posted.body);
    case "read":
      return posted.body?.read(news.bytes, news.buffer);
  }
}

/** The way of a request's body to its guest. */
export class BodyPost {
  readonly #thread: Thread;
  readonly #posted: Posted;
  readonly #pending = new ChunkBuffer();
  /** Bytes sent and not read. */
  #inFlight = 0;
  #flushes = false;
  #onRead: ((bytes: number) => void) | null = null;

  constructor(thread: Thread, posted: Posted) {
    this.#thread = thread;
    this.#posted = posted;
  }

  /** Whether the guest is so far behind that no more should come. */
  get isFull(): boolean {
    return this.#held >= windowBytes;
  }

  /** Whether it has caught up so far that more should come. */
  get hasRoom(): boolean {
    return this.#held <= windowBytes / 2;
  }

  /** Sends bytes on, copied; what comes in one turn of the event loop goes together. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      at += this.#pending.add(at === 0 ? bytes : bytes.subarray(at));
      if (this.#pending.isFull) this.#send();
    }
    if (this.#flushes || this.#pending.length === 0) return;
    this.#flushes = true;
    setImmediate(() => {
      this.#flushes = false;
      this.#send();
    });
  }

  end(): void {
    this.#send();
    if (this.#isHeld) this.#thread.send({ kind: "body", slot: this.#posted.slot, chunk: null });
  }

  /** Sets what is called when the guest has read so many bytes. */
  onRead(onRead: (bytes: number) => void): void {
    this.#onRead = onRead;
  }

  read(bytes: number, buffer: ArrayBuffer | null): void {
    this.#inFlight -= bytes;
    if (buffer !== null) this.#pending.giveBack(buffer, this.#inFlight === 0);
    this.#onRead?.(bytes);
  }

  get #held(): number {
    return this.#inFlight + this.#pending.length;
  }

  /** Whether the thread has the call still: the slot may be another one's. */
  get #isHeld(): boolean {
    return this.#thread.posted.get(this.#posted.slot) === this.#posted;
  }

  #send(): void {
    if (this.#pending.length === 0) return;
    const chunk = this.#pending.take();
    if (!this.#isHeld) return;
    this.#inFlight += chunk.byteLength;
    this.#thread.send({ kind: "body", slot: this.#posted.slot, chunk }, movedWith(chunk));
  }
}
