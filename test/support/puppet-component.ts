// A component that does what the first byte of the request's body tells it to, so that a table of hostile
// behaviour needs one upload. Then it answers with the eight bytes at 512, where results of calls lie.

import { component, handler } from "./components.ts";

const acts = {
  nothing: "",
  drop_twice: "(call $drop_request (local.get $request)) (call $drop_request (local.get $request))",
  forge: "(call $drop_fields (i32.const 12345))",
  forge_zero: "(call $drop_fields (i32.const 0))",
  stale: `(local.set $c (call $fields)) (call $drop_fields (local.get $c)) (drop (call $fields))
    (call $append (local.get $c) (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  other_kind: `(call $append (local.get $out) (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  read_after_end: "(call $read (local.get $b) (i64.const 64) (i32.const 512))",
  read_twice_after_end: `(call $read (local.get $b) (i64.const 64) (i32.const 512))
    (call $read (local.get $b) (i64.const 64) (i32.const 512))`,
  write_after_finish: `(local.set $a (call $begin (local.get $out))) (call $write_stream (local.get $a) (i32.const 512))
    (local.set $c (i32.load (i32.const 516)))
    (call $write (local.get $c) (i32.const 1024) (i32.const 4) (i32.const 512))
    (call $finish (local.get $a) (i32.const 0) (i32.const 0) (i32.const 512))
    (call $write (local.get $c) (i32.const 1024) (i32.const 4) (i32.const 512))
    (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then (unreachable))) (return)`,
  no_answer: "(return)",
  answer_twice: "(drop (call $begin (local.get $out))) (drop (call $begin (local.get $out)))",
  unfinished: `(local.set $a (call $begin (local.get $out))) (call $write_stream (local.get $a) (i32.const 512)) (return)`,
  error_answer: `(call $set (local.get $out) (i32.const 1) (i32.const 38)
    (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (return)`,
  no_such_case: `(call $set (local.get $out) (i32.const 1) (i32.const 39)
    (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)) (return)`,
  result_outside: "(call $consume (local.get $request) (i32.const -4))",
  result_unaligned: "(call $consume (local.get $request) (i32.const 513))",
  string_too_long: `(call $append (call $fields) (i32.const 1024) (i32.const -1) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  list_outside: `(call $append (call $fields) (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const -1) (i32.const 512))`,
  name_no_utf8: `(call $append (call $fields) (i32.const 1040) (i32.const 2) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  bad_header: `(call $append (call $fields) (i32.const 1032) (i32.const 3) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  split_header: `(call $append (call $fields) (i32.const 1024) (i32.const 4) (i32.const 1036) (i32.const 4) (i32.const 512))`,
  frozen: `(call $append (call $headers (local.get $request))
    (i32.const 1024) (i32.const 4) (i32.const 1024) (i32.const 1) (i32.const 512))`,
  trap: "(unreachable)",
  loop: "(loop (br 0))",
  exit: "(call $exit (i32.const 1))",
  hoard: "(loop (drop (call $fields)) (br 0))",
  allocator_loops: "(global.set $hang (i32.const 1)) (call $environment (i32.const 512))",
  allocator_lies: "(global.set $hang (i32.const 2)) (call $environment (i32.const 512))",
} as const;

export type Act = keyof typeof acts;
const names = Object.keys(acts) as Act[];

export function order(act: Act, rest = ""): Buffer {
  return Buffer.concat([Buffer.from([names.indexOf(act)]), Buffer.from(rest)]);
}

const branches = names
  .map((name, index) => `(if (i32.eq (local.get $a) (i32.const ${index})) (then ${acts[name]}))`)
  .join("\n");

const text = handler(
  `(call $consume (local.get $request) (i32.const 512))
   (call $stream (i32.load (i32.const 516)) (i32.const 512))
   (local.set $b (i32.load (i32.const 516)))
   (call $read (local.get $b) (i64.const 64) (i32.const 512))
   (local.set $a (i32.load8_u (i32.load (i32.const 516))))
   (i64.store (i32.const 512) (i64.const 0))
   ${branches}
   (i64.store (i32.const 2048) (i64.load (i32.const 512)))
   (call $answer (local.get $out) (i32.const 2048) (i32.const 8))`,
  `(data (i32.const 1024) "name    a b x\\0d\\0ay\\ff\\fe")
   (global $hang (mut i32) (i32.const 0))`,
  `(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))
   (import "wasi:cli/environment@0.2.12" "get-environment" (func $environment (param i32)))`,
).replace(
  "(local.set $at (i32.and",
  `(if (i32.eq (global.get $hang) (i32.const 1)) (then (loop (br 0))))
    (if (i32.eq (global.get $hang) (i32.const 2)) (then (return (i32.const -8))))
    (local.set $at (i32.and`,
);

export const puppetComponent = (): Buffer => component(text);
