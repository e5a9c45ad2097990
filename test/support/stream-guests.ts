// Guests in WebAssembly text that stream, by docs/abi.md: each is what `mayfly_handle` does, with the
// host calls of streams at hand, and a head of status 200 without headers in the first 12 bytes of memory.

import { assemble, literal } from "./guests.ts";
import { responseMessage } from "./messages.ts";

const head = responseMessage({ status: 200 });

/** The host calls that a guest of this file may use, in the text format. */
const imports = `
  (import "mayfly" "request_read" (func $request_read (param i32)))
  (import "mayfly" "response_write" (func $response_write (param i32 i32)))
  (import "mayfly" "response_begin" (func $response_begin (param i32 i32)))
  (import "mayfly" "response_push" (func $push (param i32 i32)))
  (import "mayfly" "response_end" (func $end))
  (import "mayfly" "sleep" (func $sleep (param f64)))
  (import "mayfly" "log" (func $log (param i32 i32 i32)))`;

const readImports = `
  (import "mayfly" "body_read" (func $read (param i32 i32) (result i32)))
  (import "mayfly" "body_rest" (func $rest (result i32)))
  (import "mayfly" "result_read" (func $result_read (param i32)))`;

export type StreamGuest = {
  /** Whether it reads the bodies of requests as they come. */
  readonly reads?: boolean;
  /** Of memory, each of 64 KiB; 4 unless given. */
  readonly pages?: number;
  /** What is at address 16. */
  readonly text?: string | Uint8Array;
  /** Further fields of the module. */
  readonly fields?: string;
};

/** A guest that does what `body` says; `$begin` begins an answer of status 200. */
export function streaming(
  body: string,
  { reads = false, pages = 4, text = "", fields = "" }: StreamGuest = {},
): Uint8Array {
  return assemble(`(module ${imports} ${reads ? readImports : ""}
    (memory (export "memory") ${pages})
    (global $count (mut i32) (i32.const 0))
    (data (i32.const 0) "${literal(head)}")
    (data (i32.const 16) "${literal(text)}")
    ${fields}
    (func $begin (call $response_begin (i32.const 0) (i32.const ${head.length})))
    (func (export "mayfly_handle") (param $bytes i32) (local $n i32) (local $i i32)
      ${body}))`);
}

/** Pushes so many bytes from address 16 on. */
export function push(bytes: number): string {
  return `(call $push (i32.const 16) (i32.const ${bytes}))`;
}

/** Does something so often. */
export function times(count: number, body: string): string {
  return `(local.set $i (i32.const ${count}))
    (loop $again ${body}
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $again (local.get $i)))`;
}

/** Answers with the body of the request, as it comes. */
export function streamedEcho(): Uint8Array {
  return streaming(
    `(call $begin)
    (block $done (loop $more
      (local.set $n (call $read (i32.const 1024) (i32.const 65536)))
      (br_if $done (i32.eqz (local.get $n)))
      (call $push (i32.const 1024) (local.get $n))
      (br $more)))
    (call $end)`,
    { reads: true },
  );
}
