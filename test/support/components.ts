// Components for tests: a core module in WebAssembly text, put into a component that imports all that the host
// offers. What the module imports of it, it gets.

import { gunzipSync } from "node:zlib";
import { componentTemplate } from "./component-template.ts";
import { assemble } from "./guests.ts";

const template = gunzipSync(componentTemplate);
const templateVersion = "@0.2.12";
const headerBytes = 8;
const coreModuleSection = 1;

/** A component around a core module in text, or assembled; `version` stands in for 0.2.12 and is as long. */
export function component(core: string | Uint8Array, version = templateVersion): Buffer {
  const module = Buffer.from(typeof core === "string" ? assemble(core.replaceAll("@0.2.12", version)) : core);
  const { start, end } = firstModule(template);
  const bytes = Buffer.concat([
    template.subarray(0, start),
    section(coreModuleSection, module),
    template.subarray(end),
  ]);
  return Buffer.from(bytes.toString("latin1").replaceAll(templateVersion, version), "latin1");
}

export function section(id: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([id]), leb(content.byteLength), content]);
}

export function leb(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

type Section = {
  readonly id: number;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
};

/** The sections of a component, as far as they are asked for. */
function* sectionsOf(bytes: Buffer): Generator<Section> {
  for (let at = headerBytes; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
    }
    const contentStart = at;
    at += length;
    yield { id, start, contentStart, end: at };
  }
}

/** Where the first core module's section lies. */
function firstModule(bytes: Buffer): Section {
  for (const found of sectionsOf(bytes)) if (found.id === coreModuleSection) return found;
  throw new Error("the template has a module");
}

/** The component, whose handler is followed by an export of its core module: the canonical ABI's post-return. */
export function withPostReturn(bytes: Buffer, name: string): Buffer {
  // The last alias is of the handler's core function, the last canonical definition lifts it.
  const sections = [...sectionsOf(bytes)];
  const last = (id: number): Section => sections.findLast((each) => each.id === id) ?? fail(`section ${id}`);
  const [alias, lift] = [last(6), last(8)];
  const content = bytes.subarray(lift.contentStart, lift.end);
  // 1 definition, lift, of a core function, no options, a type; indices have two bytes and one.
  const handler = content.subarray(3, 5);
  const after = ((handler[0] ?? 0) & 0x7f) + ((handler[1] ?? 0) << 7) + 1;
  return Buffer.concat([
    bytes.subarray(0, lift.start),
    section(6, Buffer.concat([bytes.subarray(alias.contentStart, alias.contentStart + 5), named(name)])),
    section(8, Buffer.concat([content.subarray(0, 5), Buffer.from([1, 5]), leb(after), content.subarray(6)])),
    bytes.subarray(lift.end),
  ]);
}

export function named(name: string): Buffer {
  return Buffer.concat([leb(Buffer.byteLength(name)), Buffer.from(name)]);
}

function fail(what: string): never {
  throw new Error(`there is no ${what}`);
}

const http = "wasi:http/types@0.2.12";
const io = "wasi:io/streams@0.2.12";

/** What most handlers import, by the names by which `body` of `handler` calls it. */
const imports = `
  (import "${http}" "[constructor]fields" (func $fields (result i32)))
  (import "${http}" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "${http}" "[method]incoming-request.consume" (func $consume (param i32 i32)))
  (import "${http}" "[method]incoming-request.headers" (func $headers (param i32) (result i32)))
  (import "${http}" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "${http}" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
  (import "${http}" "[method]outgoing-response.set-status-code" (func $status (param i32 i32) (result i32)))
  (import "${http}" "[method]outgoing-response.body" (func $body (param i32 i32)))
  (import "${http}" "[static]response-outparam.set"
    (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
  (import "${http}" "[method]outgoing-body.write" (func $write_stream (param i32 i32)))
  (import "${http}" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
  (import "${http}" "[resource-drop]incoming-request" (func $drop_request (param i32)))
  (import "${http}" "[resource-drop]fields" (func $drop_fields (param i32)))
  (import "${io}" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "${io}" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
  (import "${io}" "[resource-drop]output-stream" (func $drop_output (param i32)))`;

/**
 * A handler in text: `body` has the locals $request, $out, $a, $b, $c. It may answer with
 * `(call $answer (local.get $out) (i32.const ADDRESS) (i32.const BYTES))`. Memory from 1,024 to 4,095 is its
 * own; results of calls may lie at 512. The allocator hands out memory from 64 KiB on, page by page.
 */
export function handler(body: string, fields = "", more = ""): string {
  return `(module ${imports} ${more}
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $begin (param $out i32) (result i32) (local $answer i32) (local $to i32)
    (local.set $answer (call $response (call $fields)))
    (call $body (local.get $answer) (i32.const 512))
    (local.set $to (i32.load (i32.const 516)))
    (call $set (local.get $out) (i32.const 0) (local.get $answer)
      (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (local.get $to))
  (func $answer (param $out i32) (param $at i32) (param $bytes i32) (local $to i32) (local $stream i32)
    (local.set $to (call $begin (local.get $out)))
    (call $write_stream (local.get $to) (i32.const 512))
    (local.set $stream (i32.load (i32.const 516)))
    (call $write (local.get $stream) (local.get $at) (local.get $bytes) (i32.const 512))
    (call $drop_output (local.get $stream))
    (call $finish (local.get $to) (i32.const 0) (i32.const 0) (i32.const 512)))
  ${fields}
  (func (export "wasi:http/incoming-handler@0.2.12#handle") (param $request i32) (param $out i32)
    (local $a i32) (local $b i32) (local $c i32)
    ${body}))`;
}
