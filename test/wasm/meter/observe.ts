// Runs a module, plain or metered, and writes down all that can be seen of it from outside: what it
// imports and calls, what its exports answer, its memory and its globals at the end.

import { createHash } from "node:crypto";
import { globalPrefix, growRefusedName } from "../../../host/prepared-names.ts";
import { inspectModule } from "../../../host/wasm/inspect.ts";
import type { FunctionType } from "../../../host/wasm/inspection.ts";
import { InstanceImage } from "../../../host/worker/image.ts";
import { meter } from "./counting.ts";

/** Pages of the memory that the host supplies at most, and the maximum of plain modules' memories. */
const pagesMax = 64;

export type Observed = { readonly seen: readonly string[]; readonly checks: number };

type Outcome = { readonly exports: WebAssembly.Exports; readonly seen: string[] };

const goOn = (): number => 0;
const mayGrow = (): number => 1;

/** What the upload does as it is. */
export function observePlain(bytes: Uint8Array): Observed {
  const seen: string[] = [];
  start(Uint8Array.from(bytes), bytes, seen, {});
  return { seen, checks: 0 };
}

/** What its metered form does when the host always lets it go on. */
export function observeMetered(bytes: Uint8Array): Observed {
  const seen: string[] = [];
  let checks = 0;
  const check = (): number => {
    checks += 1;
    return 0;
  };
  start(meter(bytes), bytes, seen, {
    check,
    pause: goOn,
    turn: goOn,
    grow: mayGrow,
    memory: suppliedMemory(bytes),
  });
  return { seen, checks };
}

/**
 * What the metered form does in a new instance, and then in the same one after it was set back; null
 * when it could not be set back, because its memory had grown or a float it began with is no number.
 */
export function observeReset(bytes: Uint8Array): {
  readonly fresh: string[];
  readonly reset: string[] | null;
} {
  const fresh: string[] = [];
  const reset: string[] = [];
  const inspection = inspectModule(bytes, { metered: true });
  const memory = suppliedMemory(bytes);
  const host = { check: goOn, pause: goOn, turn: goOn, grow: mayGrow, memory };
  const both: { seen: string[] } = { seen: fresh };
  const instance = instantiate(meter(bytes), bytes, both, host);
  if (instance === null) return { fresh, reset: null };
  const globals = Object.keys(instance.exports)
    .filter((name) => name.startsWith(globalPrefix) || name === growRefusedName)
    .map((name) => instance.exports[name] as WebAssembly.Global);
  const state = { memory, globals };
  const image = InstanceImage.take(state);
  fresh.length = 0;
  callAll({ exports: instance.exports, seen: fresh }, inspection.exports);
  if (image?.restore(state) !== true) return { fresh, reset: null };
  both.seen = reset;
  callAll({ exports: instance.exports, seen: reset }, inspection.exports);
  return { fresh, reset };
}

function suppliedMemory(bytes: Uint8Array): WebAssembly.Memory {
  const own = inspectModule(bytes, { metered: true }).memories.find(({ imported }) => !imported);
  const maximum = Math.max(own?.initialPages ?? 0, own?.maximumPages ?? pagesMax);
  return new WebAssembly.Memory({ initial: own?.initialPages ?? 0, maximum });
}

function start(
  form: Uint8Array<ArrayBuffer>,
  upload: Uint8Array,
  seen: string[],
  host: Record<string, unknown>,
): void {
  const instance = instantiate(form, upload, { seen }, host);
  const { exports } = inspectModule(upload, { metered: true });
  if (instance !== null) callAll({ exports: instance.exports, seen }, exports);
}

/** `notes.seen` is where what the guest imports writes, then and later. */
function instantiate(
  form: Uint8Array<ArrayBuffer>,
  upload: Uint8Array,
  notes: { seen: string[] },
  host: Record<string, unknown>,
): WebAssembly.Instance | null {
  const imports: Record<string, Record<string, unknown>> = { "mayfly:host": host };
  const inspection = inspectModule(upload, { metered: true });
  for (const { module, name, kind, type } of inspection.imports) {
    imports[module] ??= {};
    imports[module][name] = importValue(kind, name, type, notes);
  }
  const instance = attempt("instantiate", notes.seen, () => {
    const made = new WebAssembly.Instance(new WebAssembly.Module(form), imports as WebAssembly.Imports);
    const startFunction = made.exports["mayfly:start"];
    if (typeof startFunction === "function") startFunction();
    return made;
  });
  return instance instanceof WebAssembly.Instance ? instance : null;
}

function callAll(
  { exports, seen }: Outcome,
  declared: readonly { name: string; type: FunctionType | null }[],
): void {
  for (const { name, type } of declared) {
    const exported = exports[name];
    if (typeof exported !== "function") continue;
    attempt(name, seen, () => exported(...(type?.params ?? []).map(argument)));
  }
  for (const { name } of declared) {
    const exported = exports[name];
    if (exported instanceof WebAssembly.Global) attempt(name, seen, () => exported.value);
    if (exported instanceof WebAssembly.Table) attempt(name, seen, () => exported.length);
    if (!(exported instanceof WebAssembly.Memory)) continue;
    seen.push(`${name}: ${createHash("sha256").update(new Uint8Array(exported.buffer)).digest("hex")}`);
  }
}

function attempt(label: string, seen: string[], run: () => unknown): unknown {
  try {
    const answer = run();
    seen.push(`${label}: ${answer instanceof WebAssembly.Instance ? "" : show(answer)}`);
    return answer;
  } catch (error) {
    // A host error keeps its words; a stack overflow may come at another depth but is one.
    seen.push(`${label}: ${error instanceof Error ? `${error.name} ${error.message}` : show(error)}`);
    return null;
  }
}

function importValue(
  kind: string,
  name: string,
  type: FunctionType | null,
  notes: { seen: string[] },
): unknown {
  if (kind === "function") {
    return (...values: unknown[]) => {
      notes.seen.push(`${name}(${values.map(show).join(", ")})`);
      if (name.startsWith("throw")) throw new Error(`thrown by ${name}`);
      const results = (type?.results ?? []).map(argument);
      return results.length > 1 ? results : results[0];
    };
  }
  if (kind === "global") return null;
  if (kind === "table") return new WebAssembly.Table({ element: "anyfunc", initial: 10 });
  if (kind === "memory") return new WebAssembly.Memory({ initial: 1, maximum: pagesMax });
  if (name === "jstag") return WebAssembly.JSTag;
  return new WebAssembly.Tag({ parameters: (type?.params ?? []) as WebAssembly.ValueType[] });
}

function argument(type: string): unknown {
  if (type === "i64") return 3n;
  if (type === "i32") return 5;
  return type.startsWith("f") && type.length === 3 ? 1.5 : null;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "function") return "function";
  return Object.is(value, -0) ? "-0" : String(value);
}
