// From a version to a compiled module: reads the bytes (their digest is checked), rewrites them,
// compiles them off the main thread, and keeps the most recently used. Two calls that need the same
// module wait for the same compile.

import { monotonicMs } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import { inspectModule } from "../wasm/inspect.ts";
import { prepareModule } from "../wasm/prepare.ts";

export type LoadedModule = {
  readonly module: WebAssembly.Module;
  /** The declared bounds of its memory, in pages. */
  readonly memory: { readonly initialPages: number; readonly maximumPages: number | null } | null;
};

/** What a call had to pay for its module; absent phases did not take place. */
export type ModuleLoad = {
  readonly loaded: LoadedModule;
  readonly loadMs?: number;
  readonly compileMs?: number;
};

export class Modules {
  readonly #artifacts: ArtifactStore;
  readonly #ready = new Map<string, LoadedModule>();
  readonly #loading = new Map<string, Promise<ModuleLoad>>();

  constructor(artifacts: ArtifactStore) {
    this.#artifacts = artifacts;
  }

  /** Compiled modules kept. */
  get count(): number {
    return this.#ready.size;
  }

  /** The module of a digest: at once when it is kept, else a promise. */
  get(digest: string): ModuleLoad | Promise<ModuleLoad> {
    const loaded = this.#ready.get(digest);
    if (loaded !== undefined) {
      this.#ready.delete(digest);
      this.#ready.set(digest, loaded);
      return { loaded };
    }
    let loading = this.#loading.get(digest);
    if (loading === undefined) {
      loading = this.#load(digest).finally(() => this.#loading.delete(digest));
      this.#loading.set(digest, loading);
    }
    return loading;
  }

  async #load(digest: string): Promise<ModuleLoad> {
    const startMs = monotonicMs();
    const bytes = await this.#artifacts.read(digest);
    const inspection = inspectModule(bytes);
    const prepared = prepareModule(bytes, inspection);
    const readMs = monotonicMs();
    const module = await WebAssembly.compile(prepared);
    const compiledMs = monotonicMs();
    const [memory] = inspection.memories;
    const loaded: LoadedModule = {
      module,
      memory: memory ? { initialPages: memory.initialPages, maximumPages: memory.maximumPages } : null,
    };
    this.#ready.set(digest, loaded);
    if (this.#ready.size > limits.modulesCachedMax) {
      const [oldest] = this.#ready.keys();
      if (oldest !== undefined) this.#ready.delete(oldest);
    }
    return { loaded, loadMs: readMs - startMs, compileMs: compiledMs - readMs };
  }
}
