// `mayfly call`: runs one export of the user's own module in this process, with arguments and
// result as text. AssemblyScript's loader walks and copies every export, which is fine for one's
// own bytes and never for an upload; the host's workers do without it.

import { type ASUtil, instantiate } from "@assemblyscript/loader";
import { inspectModule } from "../wasm/inspect.ts";
import { readArgument } from "./argument-value.ts";
import { type CallMemory, callImports } from "./call-imports.ts";
import { lift, lower } from "./guest-values.ts";
import type { Guest } from "./loose-values.ts";
import type { FunctionTypes, ModuleTypes } from "./module-types.ts";
import { UserError, WrongArguments } from "./user-error.ts";
import { parseValueType, typeName, type ValueType } from "./value-type.ts";

export type ExportCall = {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** From compileModule; without them numbers, and guesses for what else an i32 may be. */
  readonly types?: ModuleTypes;
  readonly name: string;
  readonly args: readonly string[];
  /** Takes what the module logs; default console.error. */
  readonly log?: (line: string) => void;
};

type Signature = {
  readonly parameters: readonly { readonly name: string; readonly type: ValueType }[];
  readonly required: number;
  readonly result: ValueType;
};

/** Calls an export and returns its result as text; "" for none. Throws WrongArguments, or UserError. */
export async function callExport(call: ExportCall): Promise<string> {
  const module = await compile(call.wasm);
  const names = functionExports(module, call.types);
  if (!names.includes(call.name)) throw new WrongArguments(unknownExport(call.name, names));
  const declared = call.types?.functions[call.name];
  const signature =
    declared === undefined ? bareSignature(call.wasm, module, call.name) : typedSignature(declared);
  checkCount(call, signature);
  const values = call.args.map((text, index) => {
    const parameter = signature.parameters[index] ?? { name: "", type: { kind: "void" } as const };
    const label =
      parameter.name === "" ? `argument ${index + 1}` : `argument ${index + 1} (${parameter.name})`;
    return { value: readArgument(text, parameter.type, label), type: parameter.type, label };
  });
  const log = call.log ?? ((line: string) => console.error(line));
  try {
    const seen: CallMemory = { memory: undefined };
    const { exports: util, instance } = await instantiate(module, callImports(module, seen, log));
    const guest = guestOf(util, instance);
    seen.memory = guest.memory;
    const lowered = values.map(({ value, type, label }) => {
      if (typeof value === "object" || typeof value === "string") requireRuntime(instance, label);
      return lower(guest, value, type, call.types);
    });
    const setCount = instance.exports.__setArgumentsLength;
    if (typeof setCount === "function") setCount(lowered.length);
    const run = instance.exports[call.name] as (...values: (number | bigint)[]) => unknown;
    return lift(guest, run(...lowered), signature.result);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) {
      throw new UserError(`"${call.name}" trapped: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function guestOf(util: ASUtil, instance: WebAssembly.Instance): Guest {
  const { memory, __rtti_base: base } = instance.exports;
  return {
    util,
    memory: memory instanceof WebAssembly.Memory ? memory : new WebAssembly.Memory({ initial: 0 }),
    rttiBase: base instanceof WebAssembly.Global ? Number(base.value) : undefined,
  };
}

async function compile(wasm: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(wasm);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`Cannot call into this file, it is no valid WebAssembly module: ${reason}`, {
      cause: error,
    });
  }
}

/** The callable exports, without those of the runtime and of the host's ABI. */
function functionExports(module: WebAssembly.Module, types: ModuleTypes | undefined): string[] {
  return WebAssembly.Module.exports(module)
    .filter(({ kind, name }) => kind === "function" && !name.startsWith("__"))
    .map(({ name }) => name)
    .filter((name) => types === undefined || types.functions[name] !== undefined);
}

function unknownExport(name: string, names: readonly string[]): string {
  const list = names.length === 0 ? "it exports no functions" : `it exports ${names.join(", ")}`;
  return `Cannot call "${name}": the module exports no function of that name; ${list}`;
}

function typedSignature(types: FunctionTypes): Signature {
  const parameters = types.parameters.map(({ name, type }) => ({ name, type: parseValueType(type) }));
  return { parameters, required: types.required, result: parseValueType(types.result) };
}

function bareSignature(wasm: Uint8Array, module: WebAssembly.Module, name: string): Signature {
  const found = inspectModule(wasm).exports.find((candidate) => candidate.name === name)?.type;
  const hasRuntime = WebAssembly.Module.exports(module).some((candidate) => candidate.name === "__rtti_base");
  const bareType = (type: string): ValueType => {
    if (type === "i32" && hasRuntime) return { kind: "loose" };
    // Without types a 32-bit number may be meant signed or not.
    if (type === "i32") return { kind: "integer", name: "i32", min: -(2n ** 31n), max: 2n ** 32n - 1n };
    return parseValueType(type);
  };
  const parameters = (found?.params ?? []).map((type) => ({ name: "", type: bareType(type) }));
  const [result] = found?.results ?? [];
  return {
    parameters,
    required: parameters.length,
    result: result === undefined ? { kind: "void" } : bareType(result),
  };
}

function checkCount(call: ExportCall, signature: Signature): void {
  const { parameters, required } = signature;
  if (call.args.length >= required && call.args.length <= parameters.length) return;
  const list = parameters.map(({ name, type }, index) => {
    const shown = name === "" ? typeName(type) : `${name}: ${typeName(type)}`;
    return index < required ? shown : `${shown} (optional)`;
  });
  const given = `${call.args.length} argument${call.args.length === 1 ? "" : "s"}`;
  const want = required === parameters.length ? `${required}` : `${required} to ${parameters.length}`;
  const declared = `${call.name}(${list.join(", ")})`;
  throw new WrongArguments(`Cannot call "${call.name}" with ${given}, want ${want}: ${declared}`);
}

function requireRuntime(instance: WebAssembly.Instance, label: string): void {
  if (typeof instance.exports.__new === "function") return;
  throw new UserError(
    `Cannot pass ${label}: the module does not export its runtime; build with --exportRuntime`,
  );
}
