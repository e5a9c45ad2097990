// Reads an upload and rewrites it to its metered form: a small one here and now, a larger one on a thread of
// its own, as it takes some 50 ms a MiB and everybody's calls would wait for it. One after the other: each
// holds several times its size while it is at it.

import { Worker } from "node:worker_threads";
import type { ModuleInspection } from "./inspection.ts";
import { WasmRefusal } from "./refusal.ts";
import { type RefusalReply, type RewriteReply, rewriteReply } from "./rewrite-reply.ts";

/** Takes some 10 ms at most. */
const bytesHereMax = 256 * 1024;
/** What a thread may use besides the bytes themselves, MiB. */
const heapMb = 1_024;

export type Rewritten = {
  readonly inspection: ModuleInspection;
  /** The metered form; throws a WasmRefusal when it cannot be metered. */
  prepared(): Uint8Array<ArrayBuffer>;
};

export class Rewriter {
  readonly #bytesHereMax: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(bytesHere: number = bytesHereMax) {
    this.#bytesHereMax = bytesHere;
  }

  /** As `inspectModule` and `prepareModule` for a module that is to run metered; rejects with a WasmRefusal. */
  async rewrite(upload: Uint8Array): Promise<Rewritten> {
    if (upload.byteLength <= this.#bytesHereMax) return rewritten(rewriteReply(upload));
    const reply = this.#last.then(() => replyOfThread(upload));
    this.#last = reply.catch(() => {});
    return rewritten(await reply);
  }
}

function rewritten(reply: RewriteReply): Rewritten {
  if ("refusal" in reply) throw refused(reply.refusal);
  const { inspection, prepared } = reply;
  return {
    inspection,
    prepared: () => {
      if ("refusal" in prepared) throw refused(prepared.refusal);
      return prepared.bytes;
    },
  };
}

function replyOfThread(upload: Uint8Array): Promise<RewriteReply> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.resolve("./rewriter-thread.ts")), {
      workerData: upload,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    worker.once("message", resolve);
    worker.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ERR_WORKER_OUT_OF_MEMORY") resolve(tooLarge);
      else reject(error);
    });
    worker.once("exit", (code) => reject(new Error(`The thread that reads uploads ended with ${code}`)));
  });
}

const tooLarge: RewriteReply = {
  refusal: {
    code: "unsupported_feature",
    message: `Cannot accept the module: reading it takes more than ${heapMb} MiB, wanted a smaller one`,
    feature: "module size",
    functionIndex: null,
    offset: null,
  },
};

function refused({ code, message, ...details }: RefusalReply): WasmRefusal {
  return new WasmRefusal(code, message, details);
}
