// Programs for WASI preview 1 in WebAssembly text: what tests of that ABI run without any toolchain.

import { preview1, preview1Module } from "../../host/worker/abi/wasi/preview1.ts";
import { assemble, literal } from "./guests.ts";

export const headerBlock = "Content-Type: text/plain\n\n";

const signature = (params: readonly string[], results: readonly string[]): string =>
  `${params.length > 0 ? `(param ${params.join(" ")})` : ""}${results.length > 0 ? `(result ${results.join(" ")})` : ""}`;

/** Imports of preview 1 by name, each as `$name`. */
export function imports(...names: readonly string[]): string {
  return names
    .map((name) => {
      const { params = [], results = [] } = preview1[name] ?? {};
      return `(import "${preview1Module}" "${name}" (func $${name} ${signature(params, results)}))`;
    })
    .join("\n");
}

/**
 * A program of this body and a memory of one page. `$print` writes a text of the data at 1024 and on, `$say` one
 * to any descriptor.
 */
export function program(
  body: string,
  options: { fields?: string; uses?: readonly string[]; text?: string } = {},
) {
  const { fields = "", uses = [], text = headerBlock } = options;
  const bytes = Buffer.byteLength(text);
  return assemble(`(module
    ${imports(...new Set(["fd_write", ...uses]))}
    (memory (export "memory") 2)
    (data (i32.const 1024) "${literal(text)}")
    ${fields}
    (func $say (param $fd i32) (param $at i32) (param $bytes i32)
      (i32.store (i32.const 0) (local.get $at))
      (i32.store (i32.const 4) (local.get $bytes))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $print (call $say (i32.const 1) (i32.const 1024) (i32.const ${bytes})))
    (func (export "_start") ${body}))`);
}

/** Reads so many bytes of stdin at most, to byte 65536 and on; how many they are is at 8. */
export const readChunk = (bytes = 65_536): string =>
  `(i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const ${bytes}))
   (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))`;

/** Sleeps, by a poll with no other event. */
export const sleep = (ms: number): string =>
  `(i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
   (i64.store (i32.const 528) (i64.const 1)) (i64.store (i32.const 536) (i64.const ${BigInt(ms) * 1_000_000n}))
   (i64.store (i32.const 552) (i64.const 0))
   (drop (call $poll_oneoff (i32.const 512) (i32.const 640) (i32.const 1) (i32.const 16)))`;

/** Answers with its body, as it comes; what `atEnd` does it does when that has ended. */
export function echo(atEnd = "", uses: readonly string[] = []): Uint8Array {
  return program(
    `(call $print)
     (loop $more
       ${readChunk()}
       (if (i32.load (i32.const 8)) (then
         (call $say (i32.const 1) (i32.const 65536) (i32.load (i32.const 8))) (br $more))))
     ${atEnd}`,
    { uses: ["fd_read", ...uses] },
  );
}

/** Prints what a call of the given kind of list puts into memory: the strings one after the other. */
export function listing(kind: "args" | "environ", uses: readonly string[] = []): Uint8Array {
  return program(
    `(drop (call $${kind}_sizes_get (i32.const 16) (i32.const 20)))
     (drop (call $${kind}_get (i32.const 2048) (i32.const 8192)))
     (call $print)
     (call $say (i32.const 1) (i32.const 8192) (i32.load (i32.const 20)))`,
    { uses: [`${kind}_sizes_get`, `${kind}_get`, ...uses] },
  );
}

/** Writes this to stdout and ends with an exit code; null for the end of its main function. */
export function printing(text: string, exitCode: number | null = null): Uint8Array {
  const exit = exitCode === null ? "" : `(call $proc_exit (i32.const ${exitCode}))`;
  return program(`(call $print) ${exit}`, { text, uses: ["proc_exit"] });
}

/** Writes what its stdin says to stdout, but for the first byte, which is its exit code; 0xff for none. */
export function printer(): Uint8Array {
  return program(
    `(i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 60000))
     (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
     (call $say (i32.const 1) (i32.const 4097) (i32.sub (i32.load (i32.const 8)) (i32.const 1)))
     (if (i32.ne (i32.load8_u (i32.const 4096)) (i32.const 255))
       (then (call $proc_exit (i32.load8_u (i32.const 4096)))))`,
    { uses: ["fd_read", "proc_exit"] },
  );
}

/** What the printer is to print, and its exit code; null for the end of its main function. */
export function order(text: string, exitCode: number | null): Buffer {
  return Buffer.concat([Buffer.of(exitCode ?? 255), Buffer.from(text)]);
}

export const callNames = Object.keys(preview1).filter((name) => name !== "proc_exit");
const argsMax = 9;
const orderAt = 64;
const resultAt = 32;

/**
 * Does one system call as its stdin says, and answers with its result in four bytes; the request is there as
 * `systemCall` makes it, at byte 64, of which the program reads no more than one page.
 */
export function systemPuppet(): Uint8Array {
  const cases = callNames.map((name) => {
    const { params = [], results = [] } = preview1[name] ?? {};
    const args = params.map((type, index) => {
      const at = `(i64.load (i32.const ${orderAt + 8 * (index + 1)}))`;
      return type === "i64" ? at : `(i32.wrap_i64 ${at})`;
    });
    const call = `(call $${name} ${args.join(" ")})`;
    return results.length === 0 ? call : `(i32.store (i32.const ${resultAt}) ${call})`;
  });
  const chosen = cases
    .map((run, index) => `(if (i64.eq (i64.load (i32.const ${orderAt})) (i64.const ${index})) (then ${run}))`)
    .join("\n");
  return program(
    `(i32.store (i32.const 0) (i32.const ${orderAt}))
     (i32.store (i32.const 4) (i32.const ${60_000}))
     (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
     ${chosen}
     (call $print)
     (call $say (i32.const 1) (i32.const ${resultAt}) (i32.const 4))
     (if (i64.ne (i64.load (i32.const ${orderAt + 8 * (argsMax + 1)})) (i64.const 0)) (then
       (call $say (i32.const 1) (i32.wrap_i64 (i64.load (i32.const ${orderAt + 8 * (argsMax + 1)})))
         (i32.wrap_i64 (i64.load (i32.const ${orderAt + 8 * (argsMax + 2)})))))
     )`,
    { uses: ["fd_read", ...callNames] },
  );
}

/** Where `systemCall` puts the bytes that come with it. */
export const extraAt = orderAt + 8 * (argsMax + 3);

/** An order for the puppet: a call, its arguments, bytes at `extraAt`, and which of the memory to show after it. */
export function systemCall(
  name: string,
  args: readonly (number | bigint)[],
  { extra = "", show = [0, 0] }: { extra?: string | Uint8Array; show?: readonly [number, number] } = {},
): Buffer {
  const head = Buffer.alloc(8 * (argsMax + 3));
  const numbers = [callNames.indexOf(name), ...args];
  for (const [index, value] of numbers.entries()) {
    head.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 8 * index);
  }
  head.writeBigUInt64LE(BigInt(show[0]), 8 * (argsMax + 1));
  head.writeBigUInt64LE(BigInt(show[1]), 8 * (argsMax + 2));
  return Buffer.concat([head, Buffer.from(extra as string)]);
}
