// From a version to a compiled module: reads the bytes (their digest is checked), rewrites them unless
// they are to run unmetered, compiles them off the main thread, and keeps the most recently used. Two
// calls that need the same module wait for the same compile.

import type { ComponentPlan } from "../component-plan.ts";
import type { ModuleAbi, ModuleForm } from "../function.ts";
import { monotonicMs } from "../invocation.ts";
import { limits } from "../limits.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import { isComponent } from "../wasm/component/inspect-component.ts";
import { inspectDeclarations } from "../wasm/inspect.ts";
import { declaredBounds, deriveForm, type PreparedForm } from "../wasm/prepared-form.ts";
import type { Rewriter } from "../wasm/rewriter.ts";
import type { ComponentCode } from "../worker/component-instance.ts";
import { readsBody } from "../worker/instance.ts";

/** A compiled module, or those of a component and how they are linked. */
export type LoadedCode = WebAssembly.Module | ComponentCode;

export type LoadedModule = {
  readonly code: LoadedCode;
  /** Size of the compiled bytes, which V8 keeps, and of the files. */
  readonly moduleBytes: number;
  readonly memory: PreparedForm["memory"];
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

/** What is compiled of a component, derived now unless it is kept. */
type FormOf = (upload: Uint8Array<ArrayBuffer>, digest: string) => Promise<PreparedForm>;

export class Modules {
  readonly #artifacts: Pick<ArtifactStore, "read">;
  readonly #rewriter: Pick<Rewriter, "rewrite">;
  readonly #formOf: FormOf;
  readonly #called = new ModuleLru<string, LoadedModule>();
  /** Those that nobody has called yet. */
  readonly #warm: ModuleLru<string, LoadedModule>;
  readonly #loading = new Map<string, Promise<ModuleLoad>>();

  constructor(
    artifacts: Pick<ArtifactStore, "read">,
    rewriter: Pick<Rewriter, "rewrite">,
    warmMax: number = limits.modulesWarmMax,
    formOf: FormOf = async (upload) => deriveForm(upload),
  ) {
    this.#artifacts = artifacts;
    this.#rewriter = rewriter;
    this.#formOf = formOf;
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

  async #read(moduleForm: ModuleForm): Promise<ModuleLoad> {
    const { digest, files } = moduleForm;
    const startMs = monotonicMs();
    const upload = await this.#artifacts.read(digest);
    const form = await this.#form(upload, moduleForm);
    const carried = files === null ? null : sharedCopy(await this.#artifacts.read(files.digest));
    const readMs = monotonicMs();
    const modules = await Promise.all(form.modules.map((bytes) => WebAssembly.compile(bytes)));
    const compiledMs = monotonicMs();
    const { memory, resettable } = form;
    const code = codeOf(form, modules);
    const loaded: LoadedModule = {
      code,
      moduleBytes: form.modules.reduce((sum, { byteLength }) => sum + byteLength, files?.bytes ?? 0),
      memory,
      resettable,
      files: carried,
      readsBody: "plan" in code ? planReadsBody(code.plan) : readsBody(code, moduleAbi(moduleForm)),
    };
    return { loaded, loadMs: readMs - startMs, compileMs: compiledMs - readMs };
  }

  async #form(upload: Uint8Array<ArrayBuffer>, { digest, metered }: ModuleForm): Promise<Form> {
    if (isComponent(upload)) return this.#formOf(upload, digest);
    if (!metered) return asUploaded(upload);
    const { inspection, prepared } = await this.#rewriter.rewrite(upload);
    return {
      modules: [prepared()],
      plan: null,
      memory: declaredBounds(inspection.memories[0]),
      resettable: inspection.resettableGlobals !== null,
    };
  }
}

function moduleAbi({ abi }: ModuleForm): ModuleAbi {
  if (abi === "component") throw new Error("A component was stored, and a module was loaded");
  return abi;
}

/** Whether a component asks for the bodies of requests, which may come while it runs. */
function planReadsBody({ steps }: ComponentPlan): boolean {
  const consume = "[method]incoming-request.consume";
  return steps.some(({ imports }) =>
    imports.some(({ source }) => source.kind === "host" && source.name === consume),
  );
}

/** In memory that all threads see. */
function sharedCopy(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

type Form = Omit<PreparedForm, "plan"> & { readonly plan: PreparedForm["plan"] | null };

function asUploaded(upload: Uint8Array<ArrayBuffer>): Form {
  const { memories } = inspectDeclarations(upload);
  const initialPages = memories.reduce((sum, memory) => sum + memory.initialPages, 0);
  return { modules: [upload], plan: null, memory: { initialPages, maximumPages: null }, resettable: false };
}

function codeOf({ plan }: Form, modules: readonly WebAssembly.Module[]): LoadedCode {
  const [module] = modules;
  if (module === undefined) throw new Error("Nothing was compiled");
  return plan === null ? module : { plan, modules };
}

/** The same bytes may be metered for one function and not for another, and carry other files. */
function keyOf({ digest, metered, files }: ModuleForm): string {
  return `${metered ? "" : "unmetered "}${digest}${files === null ? "" : ` with ${files.digest}`}`;
}
