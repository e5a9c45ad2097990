// Tiny guests in WebAssembly text, by docs/abi.md. The puppet does what the request's body tells it
// to, so that a table of hostile behaviour needs one upload.

import wabt from "wabt";
import { responseMessage, u32 } from "./messages.ts";

const { parseWat } = await wabt();

/** Everything on: it is the host that has to refuse. */
const features = {
  exceptions: true,
  threads: true,
  tail_call: true,
  memory64: true,
  multi_value: true,
  bulk_memory: true,
  reference_types: true,
  mutable_globals: true,
  extended_const: true,
  simd: true,
};

/** Assembles text; `extra` turns further features on, `names` keeps those of functions. */
export function assemble(
  text: string,
  extra: Readonly<Record<string, boolean>> = {},
  names = false,
): Uint8Array {
  const module = parseWat("guest.wat", text, { ...features, ...extra });
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: names }).buffer);
  } finally {
    module.destroy();
  }
}

/** Bytes as a string literal of the text format. */
export function literal(bytes: Uint8Array | string): string {
  return [...Buffer.from(bytes as string)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
}

/** A module of an entry point with this body, a memory of one page, and further fields. */
export function guest(body: string, fields = "", imports = ""): Uint8Array {
  return assemble(`(module ${imports}
    (memory (export "memory") 1)
    ${fields}
    (func (export "mayfly_handle") (param $request i32) ${body}))`);
}

/** Answers with a fixed message. */
export function answering(body: string | Uint8Array, status = 200): Uint8Array {
  const bytes = responseMessage({ status, body });
  return guest(
    `(call $write (i32.const 0) (i32.const ${bytes.length}))`,
    `(data (i32.const 0) "${literal(bytes)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
}

/** Answers with the whole request message as body: what a guest sees, byte by byte. */
export function mirror(): Uint8Array {
  return assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 100)
    (data (i32.const 0) "${literal(responseMessage())}")
    (func (export "mayfly_handle") (param $bytes i32)
      (call $read (i32.const 12))
      (call $write (i32.const 0) (i32.add (local.get $bytes) (i32.const 12)))))`);
}

/** Answers with the request's body. */
export function echo(): Uint8Array {
  return assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 110)
    (data $head "${literal(responseMessage())}")
    (func (export "mayfly_handle") (param $bytes i32) (local $body i32)
      (call $read (i32.const 0))
      (local.set $body (i32.add (i32.load (i32.const 0)) (i32.const 4)))
      (memory.init $head (i32.sub (local.get $body) (i32.const 12)) (i32.const 0) (i32.const 12))
      (call $write
        (i32.sub (local.get $body) (i32.const 12))
        (i32.add (i32.sub (local.get $bytes) (local.get $body)) (i32.const 12)))))`);
}

/** What a puppet can be told; the numbers are its protocol with the text below. */
const acts = {
  answer: 0,
  response_write: 1,
  log: 2,
  env_get: 3,
  result_read: 4,
  request_read: 5,
  random: 6,
  "console.log": 7,
  abort: 8,
  trace: 9,
  trap: 10,
  loop: 11,
  grow_and_trap: 12,
  recurse: 13,
  write_twice: 14,
  grow: 15,
  throw: 16,
  nothing: 17,
  swallow: 18,
  fill_for_ever: 19,
  copy_for_ever: 20,
  log_storm: 21,
  random_fills: 22,
  now: 23,
} as const;
export type Act = keyof typeof acts;

/** The body that makes a puppet do `act` with two numbers; then it answers "ok". */
export function order(act: Act, a = 0, b = 0, rest: Uint8Array | string = ""): Buffer {
  return Buffer.concat([u32(acts[act]), u32(a), u32(b), Buffer.from(rest as string)]);
}

/** The body that makes a puppet answer with this message. */
export function orderAnswer(message: Uint8Array): Buffer {
  return order("answer", 0, 0, message);
}

const act = (name: Act, body: string): string =>
  `(if (i32.eq (local.get $act) (i32.const ${acts[name]})) (then ${body}))`;

const ok = responseMessage({ body: "ok" });

/** Reads the request at 4096; what an order lets it read lies at 0 to 4095. One page, at most `maxPages`. */
export function puppet(maxPages: number | null = null): Uint8Array {
  return assemble(`(module
    (import "mayfly" "request_read" (func $request_read (param i32)))
    (import "mayfly" "response_write" (func $response_write (param i32 i32)))
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (import "mayfly" "env_get" (func $env_get (param i32 i32) (result i32)))
    (import "mayfly" "result_read" (func $result_read (param i32)))
    (import "mayfly" "random" (func $random (param i32 i32)))
    (import "mayfly" "now" (func $now (result f64)))
    (import "env" "console.log" (func $console_log (param i32)))
    (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
    (import "env" "trace" (func $trace (param i32 i32 f64 f64 f64 f64 f64)))
    (memory (export "memory") 3 ${maxPages ?? ""})
    (tag $oops (param i32))
    (data (i32.const 0) "${literal(ok)}")
    (func $recurse (param i32) (result i32)
      (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func $do (param $act i32) (param $a i32) (param $b i32)
      ${act("response_write", "(call $response_write (local.get $a) (local.get $b)) (return)")}
      ${act("log", "(call $log (i32.const 1) (local.get $a) (local.get $b))")}
      ${act("env_get", "(drop (call $env_get (local.get $a) (local.get $b)))")}
      ${act("result_read", "(call $result_read (local.get $a))")}
      ${act("request_read", "(call $request_read (local.get $a))")}
      ${act("random", "(call $random (local.get $a) (local.get $b))")}
      ${act("console.log", "(call $console_log (local.get $a))")}
      ${act("abort", "(call $abort (local.get $a) (local.get $b) (i32.const 7) (i32.const 9))")}
      ${act("trace", "(call $trace (local.get $a) (local.get $b) (f64.const 1) (f64.const nan) (f64.const inf) (f64.const -0) (f64.const 5))")}
      ${act("trap", "unreachable")}
      ${act("loop", "(loop (br 0))")}
      ${act("fill_for_ever", "(loop (memory.fill (i32.const 0) (i32.const 1) (local.get $a)) (br 0))")}
      ${act("copy_for_ever", "(loop (memory.copy (i32.const 0) (i32.const 1) (local.get $a)) (br 0))")}
      ${act("grow_and_trap", "(drop (memory.grow (local.get $a))) unreachable")}
      ${act("grow", "(drop (memory.grow (local.get $a)))")}
      ${act("recurse", "(drop (call $recurse (i32.const 0)))")}
      ${act("throw", "(throw $oops (i32.const 1))")}
      ${act("log_storm", "(loop (call $log (i32.const 1) (local.get $a) (local.get $b)) (br 0))")}
      ${act("random_fills", "(loop (call $random (i32.const 16) (i32.const 16)) (br 0))")}
      ${act("now", "(f64.store (i32.const 12) (call $now))")})
    (func (export "mayfly_handle") (param $bytes i32)
      (local $body i32) (local $act i32) (local $a i32) (local $b i32)
      (call $request_read (i32.const 4096))
      (local.set $body (i32.add (i32.const 4100) (i32.load (i32.const 4096))))
      (local.set $act (i32.load (local.get $body)))
      (local.set $a (i32.load offset=4 (local.get $body)))
      (local.set $b (i32.load offset=8 (local.get $body)))
      ${act(
        "answer",
        `(call $response_write
          (i32.add (local.get $body) (i32.const 12))
          (i32.sub (i32.add (local.get $bytes) (i32.const 4096)) (i32.add (local.get $body) (i32.const 12)))) (return)`,
      )}
      ${act("nothing", "(return)")}
      ${act("swallow", "(try (do (call $do (local.get $a) (local.get $b) (i32.const -1))) (catch_all))")}
      ${act("write_twice", "(call $response_write (i32.const 0) (i32.const 14))")}
      (call $do (local.get $act) (local.get $a) (local.get $b))
      ${act("response_write", "(return)")}
      (call $response_write (i32.const 0) (i32.const ${ok.length}))))`);
}

/** The number of an act, for the `swallow` order. */
export function actNumber(name: Act): number {
  return acts[name];
}
