// From a version to a compiled module: reads the bytes (their digest is checked), rewrites them unless
// they are to run unmetered, compiles them off the main thread, and keeps the most recently used. Two
// calls that need the same module wait for the same compile.

import type { ModuleForm } from "../function.ts";
import { monotonicMs } from "../invocation.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import { inspectDeclarations, inspectModule } from "../wasm/inspect.ts";
import { prepareModule } from "../wasm/prepare.ts";

export type LoadedModule = {
  readonly module: WebAssembly.Module;
  /** Size of the compiled bytes, which V8 keeps. */
  readonly moduleBytes: number;
  /** The declared bounds of its memory, in pages; where several are declared, the sum. */
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

  /** The module of a version: at once when it is kept, else a promise. */
  get(form: ModuleForm): ModuleLoad | Promise<ModuleLoad> {
    const key = keyOf(form);
    const loaded = this.#ready.get(key);
    if (loaded !== undefined) return { loaded };
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#load(form, key).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  /** Lets a module go that nobody can call any more. */
  drop(digest: string): void {
    for (const metered of [true, false]) this.#ready.drop(keyOf({ digest, metered }));
  }

  async #load({ digest, metered }: ModuleForm, key: string): Promise<ModuleLoad> {
    const startMs = monotonicMs();
    const upload = await this.#artifacts.read(digest);
    const { bytes, memory, resettable } = metered ? rewritten(upload) : asUploaded(upload);
    const readMs = monotonicMs();
    const module = await WebAssembly.compile(bytes);
    const compiledMs = monotonicMs();
    const loaded: LoadedModule = { module, moduleBytes: bytes.byteLength, memory, resettable };
    this.#ready.put(key, loaded);
    return { loaded, loadMs: readMs - startMs, compileMs: compiledMs - readMs };
  }
}

type Form = Pick<LoadedModule, "memory" | "resettable"> & { readonly bytes: Uint8Array<ArrayBuffer> };

function rewritten(upload: Uint8Array): Form {
  const inspection = inspectModule(upload, { metered: true });
  const [memory] = inspection.memories;
  return {
    bytes: prepareModule(upload, inspection, { meter: true }),
    memory: memory ? { initialPages: memory.initialPages, maximumPages: memory.maximumPages } : null,
    resettable: inspection.resettableGlobals !== null,
  };
}

function asUploaded(upload: Uint8Array<ArrayBuffer>): Form {
  const { memories } = inspectDeclarations(upload);
  const initialPages = memories.reduce((sum, memory) => sum + memory.initialPages, 0);
  return { bytes: upload, memory: { initialPages, maximumPages: null }, resettable: false };
}

/** The same bytes may be metered for one function and not for another. */
function keyOf({ digest, metered }: ModuleForm): string {
  return metered ? digest : `unmetered ${digest}`;
}
