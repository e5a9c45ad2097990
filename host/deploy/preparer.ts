// Has components read and rewritten: small ones here and now, large ones on a thread of their own, with a
// deadline. What that derived of a large one is kept by digest, so that no later start derives it again.

import { Worker } from "node:worker_threads";
import { HostError } from "../errors.ts";
import type { FunctionConfig } from "../function.ts";
import { limits } from "../limits.ts";
import type { PreparedFiles } from "../store/files/prepared-files.ts";
import { decodeForm, deriveForm, encodeForm, type PreparedForm } from "../wasm/prepared-form.ts";
import { type PreparedUpload, prepareComponentUpload } from "./prepare-upload.ts";
import type { PreparerReply, PreparerTask } from "./preparer-thread.ts";

/** Reading and rewriting takes a few milliseconds for so many bytes at most; a thread takes longer to start. */
const atOnceBytesMax = 256 * 1024;

export class Preparer {
  readonly #files: PreparedFiles;
  /** The thread before: one at a time, since each holds an upload several times over. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(files: PreparedFiles) {
    this.#files = files;
  }

  /** Throws the deploy's HostError. */
  async prepare(upload: Uint8Array, config: FunctionConfig): Promise<PreparedUpload> {
    if (upload.byteLength <= atOnceBytesMax) return prepareComponentUpload(upload, config);
    const reply = await this.#onThread({ kind: "prepare", upload, config });
    if (reply.kind !== "prepared") throw new Error("The preparer answered another task");
    return reply.prepared;
  }

  /** Keeps what was prepared of an upload that is deployed. */
  async keep(digest: string, upload: Uint8Array, { form }: PreparedUpload): Promise<void> {
    if (form !== null && upload.byteLength > atOnceBytesMax)
      await this.#files.write(digest, encodeForm(form));
  }

  /** The derived form of a stored upload, kept or derived again. */
  readonly formOf = async (upload: Uint8Array, digest: string): Promise<PreparedForm> => {
    if (upload.byteLength <= atOnceBytesMax) return deriveForm(upload);
    const kept = await this.#files.read(digest);
    const known = kept && decodeForm(kept);
    if (known !== null) return known;
    const reply = await this.#onThread({ kind: "derive", upload });
    if (reply.kind !== "derived") throw new Error("The preparer answered another task");
    await this.#files.write(digest, encodeForm(reply.form));
    return reply.form;
  };

  #onThread(task: PreparerTask): Promise<Answer> {
    const answer = this.#last.then(() => onThread(task));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async remove(digest: string): Promise<void> {
    await this.#files.remove(digest);
  }

  async retain(digests: ReadonlySet<string>): Promise<void> {
    await this.#files.retain(digests);
  }
}

type Answer = Exclude<PreparerReply, { kind: "refused" }>;

function onThread(task: PreparerTask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.resolve("./preparer-thread.ts")));
    const timer = setTimeout(() => end(() => reject(tookTooLong())), limits.prepareTimeoutMs);
    const end = (then: () => void): void => {
      clearTimeout(timer);
      void worker.terminate();
      then();
    };
    worker.once("message", (reply: PreparerReply) => {
      if (reply.kind !== "refused") return end(() => resolve(reply));
      const { code, message, status, extra } = reply;
      end(() => reject(new HostError(code, message, { status, extra })));
    });
    worker.once("error", (error) => end(() => reject(error)));
    worker.once("exit", () => end(() => reject(new Error("The preparer ended without an answer"))));
    worker.postMessage(task);
  });
}

function tookTooLong(): HostError {
  return new HostError(
    "unsupported_feature",
    `Cannot deploy: reading and rewriting the upload took longer than ${limits.prepareTimeoutMs} ms`,
    { extra: { feature: "preparation time" } },
  );
}
