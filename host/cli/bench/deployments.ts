// What a run puts on the host, under names of its own, and takes away again: nothing of the user's is
// changed or removed. A name is noted before its upload begins, so that none is forgotten.

import { randomBytes } from "node:crypto";
import type { FunctionConfig, HostClient } from "../client.ts";
import { CommandFailure } from "../failure.ts";

/** As many uploads at a time as a host takes. */
const deploysAtOnce = 4;

/** A host that answers nothing is not waited for. */
const removeTimeoutMs = 10_000;
const uploadTimeoutMs = 30_000;

export type Deployment = {
  /** What tells it from others of the same run: `3`, `reuse`. */
  readonly suffix: string;
  readonly wasm: Uint8Array;
  /** The files that it carries beside, as `packFolder` made them or a host has them; null for none. */
  readonly files: Uint8Array<ArrayBuffer> | null;
  /** Replaces the configuration before the upload; the host's defaults where it is null. */
  readonly config: FunctionConfig | null;
};

export class Deployments {
  readonly #client: () => HostClient;
  readonly #prefix = `bench-${randomBytes(4).toString("hex")}`;
  readonly #names = new Set<string>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(client: () => HostClient) {
    this.#client = client;
  }

  /** The names that are, or may be, on the host. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Its name, and how long the upload took until the function was live, ms. */
  async deploy(deployment: Deployment): Promise<{ readonly name: string; readonly ms: number }> {
    const name = `${this.#prefix}-${deployment.suffix}`;
    this.#names.add(name);
    const upload = this.#upload(name, deployment);
    this.#underWay.add(upload);
    try {
      return { name, ms: await upload };
    } finally {
      this.#underWay.delete(upload);
    }
  }

  /** In the order given, so many at a time; stops between two when `signal` is aborted. */
  async deployAll(
    all: readonly Deployment[],
    signal: AbortSignal,
    onDeployed: (name: string, ms: number) => void | Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < all.length; from += deploysAtOnce) {
      signal.throwIfAborted();
      const some = all.slice(from, from + deploysAtOnce);
      const deployed = await Promise.all(some.map((deployment) => this.deploy(deployment)));
      for (const { name, ms } of deployed) await onDeployed(name, ms);
    }
  }

  /** Removes everything; what is left because the host did not is returned. */
  async removeAll(): Promise<readonly string[]> {
    // An upload that the host has read whole goes live whatever becomes of us.
    await within(uploadTimeoutMs, Promise.allSettled(this.#underWay)).catch(() => {});
    const names = this.names;
    for (let from = 0; from < names.length; from += deploysAtOnce) {
      await Promise.all(names.slice(from, from + deploysAtOnce).map((name) => this.#remove(name)));
    }
    return this.names;
  }

  async #upload(name: string, { wasm, files, config }: Deployment): Promise<number> {
    if (config !== null) await this.#client().writeConfig(name, config);
    const startMs = performance.now();
    await this.#client().deploy(name, wasm, { files });
    return performance.now() - startMs;
  }

  async #remove(name: string): Promise<void> {
    try {
      await within(removeTimeoutMs, this.#client().remove(name));
      this.#names.delete(name);
    } catch (error) {
      // Its upload was refused.
      if (error instanceof CommandFailure && error.code === "function_not_found") this.#names.delete(name);
    }
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What to tell the user of functions that could not be removed. */
export function leftBehind(names: readonly string[], url: string): string {
  const commands = names.map((name) => `  mayfly remove ${name} --url ${url}`).join("\n");
  return `The host at ${url} still has what bench deployed; remove it when the host is back:\n${commands}`;
}
