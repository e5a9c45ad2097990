// From a version to a compiled module: reads the bytes (their digest is checked), rewrites them unless
// they are to run unmetered, compiles them off the main thread, and keeps the most recently used. Two
// calls that need the same module wait for the same compile.

import type { ModuleForm } from "../function.ts";
import { monotonicMs } from "../invocation.ts";
import { limits } from "../limits.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import { inspectDeclarations } from "../wasm/inspect.ts";
import type { Rewriter } from "../wasm/rewriter.ts";
import { readsBody } from "../worker/instance.ts";

export type LoadedModule = {
  readonly module: WebAssembly.Module;
  /** Size of the compiled bytes, which V8 keeps, and of the files. */
  readonly moduleBytes: number;
  /** The declared bounds of its memory, in pages; where several are declared, the sum. */
  readonly memory: { readonly initialPages: number; readonly maximumPages: number | null } | null;
  /** Whether an instance can be set back to an image: its whole state is its memory and its globals. */
  readonly resettable: boolean;
  /** The files it carries, in their stored form. */
  readonly files: Uint8Array<SharedArrayBuffer> | null;
  /** Whether its calls may begin before the bodies of their requests are there. */
  readonly readsBody: boolean;
};

/** What a call had to pay for its module; absent phases did not take place. */
export type ModuleLoad = {
  readonly loaded: LoadedModule;
  readonly loadMs?: number;
  readonly compileMs?: number;
};

export class Modules {
  readonly #artifacts: ArtifactStore;
  readonly #rewriter: Pick<Rewriter, "rewrite">;
  readonly #called = new ModuleLru<string, LoadedModule>();
  /** Those that nobody has called yet. */
  readonly #warm: ModuleLru<string, LoadedModule>;
  readonly #loading = new Map<string, Promise<ModuleLoad>>();

  constructor(
    artifacts: ArtifactStore,
    rewriter: Pick<Rewriter, "rewrite">,
    warmMax: number = limits.modulesWarmMax,
  ) {
    this.#artifacts = artifacts;
    this.#rewriter = rewriter;
    this.#warm = new ModuleLru({ count: warmMax, bytes: limits.modulesWarmBytesMax });
  }

  /** Compiled modules kept. */
  get count(): number {
    return this.#called.count + this.#warm.count;
  }

  /** The module of a version that is called: at once when it is kept, else a promise. */
  get(form: ModuleForm): ModuleLoad | Promise<ModuleLoad> {
    const loaded = this.kept(form);
    return loaded === undefined ? this.#loadForCall(form, keyOf(form)) : { loaded };
  }

  /** The module of a version that is called, when it is kept. */
  kept(form: ModuleForm): LoadedModule | undefined {
    const key = keyOf(form);
    const called = this.#called.get(key);
    if (called !== undefined) return called;
    const warm = this.#warm.get(key);
    if (warm !== undefined) this.#keepCalled(key, warm);
    return warm;
  }

  /** Loads a module that may be called soon. Many may be deployed and never called: few of those are kept. */
  async warm(form: ModuleForm): Promise<void> {
    const key = keyOf(form);
    if (this.#isKept(key)) return;
    const { loaded } = await this.#load(form, key);
    if (!this.#isKept(key)) this.#warm.put(key, loaded);
  }

  /** Lets modules go, by their digest or that of their files, that nobody can call any more. */
  drop(digest: string): void {
    this.#called.dropAll(digest);
    this.#warm.dropAll(digest);
  }

  async #loadForCall(form: ModuleForm, key: string): Promise<ModuleLoad> {
    const load = await this.#load(form, key);
    this.#keepCalled(key, load.loaded);
    return load;
  }

  #isKept(key: string): boolean {
    return this.#called.get(key) !== undefined || this.#warm.get(key) !== undefined;
  }

  #keepCalled(key: string, loaded: LoadedModule): void {
    this.#warm.drop(key);
    this.#called.put(key, loaded);
  }

  /** Loads a module, once for all who want it at the same time. */
  #load(form: ModuleForm, key: string): Promise<ModuleLoad> {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(form).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read({ digest, metered, files }: ModuleForm): Promise<ModuleLoad> {
    const startMs = monotonicMs();
    const upload = await this.#artifacts.read(digest);
    const { bytes, memory, resettable } = metered ? await this.#rewritten(upload) : asUploaded(upload);
    const carried = files === null ? null : sharedCopy(await this.#artifacts.read(files.digest));
    const readMs = monotonicMs();
    const module = await WebAssembly.compile(bytes);
    const compiledMs = monotonicMs();
    const loaded: LoadedModule = {
      module,
      moduleBytes: bytes.byteLength + (files?.bytes ?? 0),
      memory,
      resettable,
      files: carried,
      readsBody: readsBody(module),
    };
    return { loaded, loadMs: readMs - startMs, compileMs: compiledMs - readMs };
  }

  async #rewritten(upload: Uint8Array): Promise<Form> {
    const { inspection, prepared } = await this.#rewriter.rewrite(upload);
    const [memory] = inspection.memories;
    return {
      bytes: prepared(),
      memory: memory ? { initialPages: memory.initialPages, maximumPages: memory.maximumPages } : null,
      resettable: inspection.resettableGlobals !== null,
    };
  }
}

/** In memory that all threads see. */
function sharedCopy(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

type Form = Pick<LoadedModule, "memory" | "resettable"> & { readonly bytes: Uint8Array<ArrayBuffer> };

function asUploaded(upload: Uint8Array<ArrayBuffer>): Form {
  const { memories } = inspectDeclarations(upload);
  const initialPages = memories.reduce((sum, memory) => sum + memory.initialPages, 0);
  return { bytes: upload, memory: { initialPages, maximumPages: null }, resettable: false };
}

/** The same bytes may be metered for one function and not for another, and carry other files. */
function keyOf({ digest, metered, files }: ModuleForm): string {
  return `${metered ? "" : "unmetered "}${digest}${files === null ? "" : ` with ${files.digest}`}`;
}
