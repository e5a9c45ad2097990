// The imports of a module that `mayfly call` runs: AssemblyScript's own, and of the host's those
// that make sense without a request. Others exist too, so that the module starts, and say when
// they are called that they need a host.

import { randomFillSync } from "node:crypto";
import { UserError } from "./user-error.ts";

type GuestFunction = (...values: number[]) => number | undefined;
type Imports = Record<string, Record<string, GuestFunction>>;

/** Set once the instance is there; what a module logs while it starts cannot be read yet. */
export type CallMemory = { memory: WebAssembly.Memory | undefined };

/** An import object for exactly what the module asks for. */
export function callImports(
  module: WebAssembly.Module,
  guest: CallMemory,
  log: (line: string) => void,
): Imports {
  const known = knownFunctions(guest, log);
  const imports: Imports = {};
  for (const { module: group, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function") {
      throw new UserError(`Cannot call into this module: it imports the ${kind} ${group}.${name}`);
    }
    imports[group] ??= {};
    imports[group][name] = known[`${group}.${name}`] ?? missing(`${group}.${name}`);
  }
  return imports;
}

function knownFunctions(
  guest: CallMemory,
  log: (line: string) => void,
): Readonly<Record<string, GuestFunction>> {
  const line = (pointer = 0): undefined => void log(guestString(guest, pointer));
  return {
    "env.abort": (message = 0, file = 0, lineNumber = 0, column = 0) => {
      const place = file === 0 ? "" : ` at ${guestString(guest, file)}:${lineNumber}:${column}`;
      throw new UserError(
        `The module aborted${place}: ${message === 0 ? "no message" : guestString(guest, message)}`,
      );
    },
    "env.trace": (message = 0, count = 0, ...values) =>
      void log([guestString(guest, message), ...values.slice(0, count)].join(" ")),
    "env.seed": () => Date.now(),
    "env.Date.now": () => Date.now(),
    "env.console.debug": line,
    "env.console.log": line,
    "env.console.info": line,
    "env.console.warn": line,
    "env.console.error": line,
    "mayfly.now": () => Date.now(),
    "mayfly.sleep": (ms = 0) =>
      void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, ms)),
    "mayfly.random": (pointer = 0, length = 0) => void randomFillSync(bytes(guest, pointer, length)),
    "mayfly.env_get": () => -1,
    "mayfly.secret_get": () => -1,
    "mayfly.log": (_level = 0, pointer = 0, length = 0) =>
      void log(Buffer.from(bytes(guest, pointer, length)).toString("utf8")),
  };
}

function missing(name: string): GuestFunction {
  return () => {
    throw new UserError(
      `The module called ${name}, which only a host answers; deploy it and use mayfly invoke`,
    );
  };
}

function bytes(guest: CallMemory, pointer: number, length: number): Uint8Array<ArrayBuffer> {
  const buffer = guest.memory?.buffer ?? new ArrayBuffer(0);
  return new Uint8Array(buffer as ArrayBuffer, pointer >>> 0, length >>> 0);
}

// An AssemblyScript string: UTF-16 with its byte length in the four bytes before it.
function guestString(guest: CallMemory, pointer: number): string {
  if (guest.memory === undefined) return "(a text that cannot be read while the module starts)";
  const view = new DataView(guest.memory.buffer);
  const address = pointer >>> 0;
  return Buffer.from(bytes(guest, address, view.getUint32(address - 4, true))).toString("utf16le");
}
