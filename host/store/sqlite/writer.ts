// The main thread's end of the writer thread: sends changes, resolves once they are durable.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type ErrorCode, HostError } from "../../errors.ts";
import type { WriteReply, WriteRequest, WriterData } from "./writer-thread.ts";
import type { StoreName, Write, WriteName } from "./writes.ts";

type Pending = { readonly sinceMs: number; resolve(value: unknown): void; reject(error: Error): void };

/** What has become of changes so far. */
export type Written = {
  readonly pending: number;
  readonly stored: number;
  /** With a code: they could not be made. */
  readonly refused: number;
  readonly failed: number;
  /** How long all of them waited until they had ended, ms. */
  readonly waitedMs: number;
};

export class Writer {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: Error | null = null;
  #closing = false;
  #stored = 0;
  #refused = 0;
  #failed = 0;
  #waitedMs = 0;

  private constructor(worker: Worker, onLost: (error: Error) => void) {
    this.#worker = worker;
    worker.on("message", (reply: WriteReply) => this.#settle(reply));
    worker.on("error", (error: unknown) =>
      this.#end(error instanceof Error ? error : new Error(String(error))),
    );
    worker.on("exit", () => {
      this.#end(new Error("The writer thread has ended"));
      if (!this.#closing && this.#ended !== null) onLost(this.#ended);
    });
  }

  /** Starts the thread; rejects when the database cannot be opened. `onLost`: it ended unasked. */
  static async start(data: WriterData, onLost: (error: Error) => void): Promise<Writer> {
    const worker = new Worker(new URL(import.meta.resolve("./writer-thread.ts")), { workerData: data });
    await once(worker, "message");
    return new Writer(worker, onLost);
  }

  get written(): Written {
    return {
      pending: this.#pending.size,
      stored: this.#stored,
      refused: this.#refused,
      failed: this.#failed,
      waitedMs: this.#waitedMs,
    };
  }

  /** Runs one change; rejects with HostError, or with the fault of ours that it met. */
  async write<store extends StoreName, name extends WriteName<store>>(
    store: store,
    name: name,
    ...values: Write<store, name>["values"]
  ): Promise<Write<store, name>["value"]> {
    if (this.#ended !== null) throw this.#ended;
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const sinceMs = performance.now();
      this.#pending.set(id, { sinceMs, resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, store, name, values } satisfies WriteRequest);
    });
  }

  /** Ends the thread after what it was sent before. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#ended !== null) return;
    const exit = once(this.#worker, "exit");
    this.#worker.postMessage("close");
    await exit;
  }

  #settle(reply: WriteReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (pending !== undefined) this.#waitedMs += performance.now() - pending.sinceMs;
    if ("value" in reply) {
      this.#stored += 1;
      return pending?.resolve(reply.value);
    }
    const { code, message, full, retryAfterS } = reply.error;
    if (code === null) this.#failed += 1;
    else this.#refused += 1;
    if (full) pending?.reject(new HostError("storage_full", "Cannot store the change: the disk is full"));
    else if (code !== null) pending?.reject(hostError(code as ErrorCode, message, retryAfterS));
    else pending?.reject(new Error(message));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

function hostError(code: ErrorCode, message: string, retryAfterS: number | undefined): HostError {
  return new HostError(code, message, retryAfterS === undefined ? {} : { retryAfterS });
}
