// Whether an upload speaks an ABI that the host knows, and imports only what the host offers: pure
// functions over what it declares.

import { HostError } from "../errors.ts";
import type { ModuleAbi } from "../function.ts";
import { printable } from "../printable.ts";
import type { ModuleDeclarations, ModuleImport } from "../wasm/inspection.ts";
import type { Adapter } from "../worker/abi/adapter.ts";
import { adapters, memoryExport } from "../worker/abi/adapters.ts";
import { hostCallType } from "../worker/abi/offered.ts";

const shownMax = 20;

/** Throws `unknown_import` that names each import the host does not offer. */
export function assertImportsOffered(declared: ModuleDeclarations): void {
  const unknown = declared.imports.map(faultOf).filter((fault) => fault !== null);
  if (unknown.length === 0) return;
  const shown = unknown.slice(0, shownMax).join(", ");
  const more = unknown.length > shownMax ? ` and ${unknown.length - shownMax} more` : "";
  throw new HostError(
    "unknown_import",
    `Cannot deploy: the module imports what this host does not offer: ${shown}${more}`,
    { extra: { imports: unknown.slice(0, 100) } },
  );
}

function faultOf(entry: ModuleImport): string | null {
  const name = `${quoted(entry.module)} ${quoted(entry.name)}`;
  const offered = hostCallType(entry.module, entry.name);
  if (entry.kind !== "function" || entry.type === null) return `${name} (a ${entry.kind})`;
  if (offered === undefined) return name;
  const { params, results } = entry.type;
  const same = params.join() === offered.params.join() && results.join() === offered.results.join();
  if (same) return null;
  return `${name} with type (${params.join(", ")}) -> (${results.join(", ")}), offered is (${offered.params.join(", ")}) -> (${offered.results.join(", ")})`;
}

function quoted(text: string): string {
  return JSON.stringify(printable(text.length > 80 ? `${text.slice(0, 80)}...` : text));
}

/** The ABI of a module by its exports; throws `unknown_abi`. */
export function detectAbi(declared: ModuleDeclarations): ModuleAbi {
  for (const [abi, adapter] of Object.entries(adapters) as [ModuleAbi, Adapter][]) {
    if (!declared.exports.some(({ name }) => name === adapter.entryExport)) continue;
    const refusal = adapter.refusal(declared);
    if (refusal !== null) throw unknownAbi(refusal);
    const memory = declared.exports.find((item) => item.name === memoryExport);
    if (memory?.kind === "memory") return abi;
    throw unknownAbi(`the module exports no memory under the name "${memoryExport}"`);
  }
  const names = declared.exports.slice(0, shownMax).map((item) => quoted(item.name));
  throw unknownAbi(`the module exports ${names.length === 0 ? "nothing" : names.join(", ")}`);
}

function unknownAbi(found: string): HostError {
  const entries =
    'an export "mayfly_handle" of type (i32) -> (), as "mayfly build" makes it, or "_start" of type () -> (), as WASI has it';
  return new HostError(
    "unknown_abi",
    `Cannot deploy: ${found}, want ${entries}, and an export "${memoryExport}"`,
  );
}
