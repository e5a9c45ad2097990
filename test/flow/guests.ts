// Tiny functions in WebAssembly text for the flow tests, by docs/abi.md. Each answers with a fixed
// text; `version` makes their bytes differ.

import wabt from "wabt";

const { parseWat } = await wabt();

function assemble(text: string): Uint8Array {
  const module = parseWat("guest.wat", text);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** Bytes as a string literal of the text format. */
function literal(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
}

/** A response message with status 200 and no headers. */
function message(text: string): Uint8Array {
  const body = Buffer.from(text);
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32LE(8, 0);
  bytes.writeUInt32LE(200, 4);
  bytes.writeUInt32LE(0, 8);
  body.copy(bytes, 12);
  return bytes;
}

/** Answers `text`. */
export function answering(text: string): Uint8Array {
  const bytes = message(text);
  return assemble(`(module
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${literal(bytes)}")
    (func (export "mayfly_handle") (param i32)
      (call $write (i32.const 0) (i32.const ${bytes.length}))))`);
}

/** Never answers; its log line says that it runs. */
export function endless(): Uint8Array {
  return assemble(`(module
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "running")
    (func (export "mayfly_handle") (param i32)
      (call $log (i32.const 1) (i32.const 0) (i32.const 7))
      (loop (br 0))))`);
}

/** Counts to `turns` in a loop, then answers "done". */
export function busy(turns: number): Uint8Array {
  const bytes = message("done");
  return assemble(`(module
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${literal(bytes)}")
    (func (export "mayfly_handle") (param i32) (local $i i64)
      (loop
        (local.set $i (i64.add (local.get $i) (i64.const 1)))
        (br_if 0 (i64.lt_u (local.get $i) (i64.const ${turns}))))
      (call $write (i32.const 0) (i32.const ${bytes.length}))))`);
}

/** Waits for minutes in a host call, and never answers before; its log line says that it is about to. */
export function sleeping(): Uint8Array {
  return assemble(`(module
    (import "mayfly" "sleep" (func $sleep (param f64)))
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "waiting")
    (func (export "mayfly_handle") (param i32)
      (call $log (i32.const 1) (i32.const 0) (i32.const 7))
      (call $sleep (f64.const 600000))))`);
}
