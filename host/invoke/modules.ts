// From a version to a compiled module: reads the bytes (their digest is checked), rewrites them,
// compiles them off the main thread, and keeps the most recently used. Two calls that need the same
// module wait for the same compile.

import { monotonicMs } from "../invocation.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import { inspectModule } from "../wasm/inspect.ts";
import { prepareModule } from "../wasm/prepare.ts";

export type LoadedModule = {
  readonly module: WebAssembly.Module;
  /** Size of the compiled bytes, which V8 keeps. */
  readonly moduleBytes: number;
  /** The declared bounds of its memory, in pages. */
  readonly memory: { readonly initialPages: number; readonly maximumPages: number | null } | null;
  /** Whether an instance can be set back to an image: its whole state is its memory and its globals. */
  readonly resettable: boolean;
};

/** What a call had to pay for its module; absent phases did not take place. */
export type ModuleLoad = {
  readonly loaded: LoadedModule;
  readonly loadMs?: number;
  readonly compileMs?: number;
};

export class Modules {
  readonly #artifacts: ArtifactStore;
  readonly #ready = new ModuleLru<string, LoadedModule>();
  readonly #loading = new Map<string, Promise<ModuleLoad>>();

  constructor(artifacts: ArtifactStore) {
    this.#artifacts = artifacts;
  }

  /** Compiled modules kept. */
  get count(): number {
    return this.#ready.count;
  }

  /** The module of a digest: at once when it is kept, else a promise. */
  get(digest: string): ModuleLoad | Promise<ModuleLoad> {
    const loaded = this.#ready.get(digest);
    if (loaded !== undefined) return { loaded };
    let loading = this.#loading.get(digest);
    if (loading === undefined) {
      loading = this.#load(digest).finally(() => this.#loading.delete(digest));
      this.#loading.set(digest, loading);
    }
    return loading;
  }

  /** Lets a module go that nobody can call any more. */
  drop(digest: string): void {
    this.#ready.drop(digest);
  }

  async #load(digest: string): Promise<ModuleLoad> {
    const startMs = monotonicMs();
    const bytes = await this.#artifacts.read(digest);
    const inspection = inspectModule(bytes, { metered: true });
    const prepared = prepareModule(bytes, inspection, { meter: true });
    const readMs = monotonicMs();
    const module = await WebAssembly.compile(prepared);
    const compiledMs = monotonicMs();
    const [memory] = inspection.memories;
    const loaded: LoadedModule = {
      module,
      moduleBytes: prepared.byteLength,
      memory: memory ? { initialPages: memory.initialPages, maximumPages: memory.maximumPages } : null,
      resettable: inspection.resettableGlobals !== null,
    };
    this.#ready.put(digest, loaded);
    return { loaded, loadMs: readMs - startMs, compileMs: compiledMs - readMs };
  }
}
