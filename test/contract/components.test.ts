// Components, by what their authors rely on: every patch version of 0.2, requests and answers, and for each
// thing that a component must not do its own code, with the next call unharmed.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { helloComponent } from "../../bench/peers/component/hello-component.ts";
import { limits } from "../../host/limits.ts";
import { component, handler, named, section } from "../support/components.ts";
import { type Act, order, puppetComponent } from "../support/puppet-component.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const echo = handler(
  `(call $consume (local.get $request) (i32.const 512))
   (call $stream (i32.load (i32.const 516)) (i32.const 512))
   (local.set $a (i32.load (i32.const 516)))
   (local.set $c (call $begin (local.get $out)))
   (call $write_stream (local.get $c) (i32.const 512))
   (local.set $b (i32.load (i32.const 516)))
   (block $end (loop $next
     (global.set $free (i32.const 65536))
     (call $read (local.get $a) (i64.const 65536) (i32.const 512))
     (br_if $end (i32.load8_u (i32.const 512)))
     (call $write (local.get $b) (i32.load (i32.const 516)) (i32.load (i32.const 520)) (i32.const 512))
     (br $next)))
   (call $finish (local.get $c) (i32.const 0) (i32.const 0) (i32.const 512))`,
);

test("a component answers, whichever patch version of 0.2 it was made for", async () => {
  await host.deploy("peer", helloComponent);
  assert.equal((await host.ask("GET", "/fn/peer/?name=you")).text, "Hello, you!");
  for (const version of ["@0.2.12", "@0.2.99"]) {
    await host.deploy("echo", component(echo, version));
    const answer = await host.call("echo", { body: "as it came" });
    assert.deepEqual([answer.status, answer.text], [200, "as it came"], version);
  }
  const { abi } = (await host.ask("GET", "/v1/functions/echo")).json() as { abi: string };
  assert.equal(abi, "component");
});

test("a body of megabytes comes through whole, and one that is empty too", async () => {
  const body = Buffer.alloc(3_000_000, "0123456789");
  assert.ok((await host.call("echo", { body })).bytes.equals(body));
  assert.equal((await host.call("echo", { body: "" })).text, "");
});

/** Status, code, and what the log says of it. */
type Misuse = readonly [status: number, code: string, reason: RegExp];

const noResource = /there is no resource \d+: it was dropped, or never was/;
const outside = /a pointer leaves the memory: \d+ \+ \d+, memory has \d+ bytes/;
const misused = (reason: RegExp): Misuse => [502, "bad_guest_output", reason];

/** What each does is answered with, in hexadecimal, or what it is refused with. */
const codes: Readonly<Record<Exclude<Act, "nothing">, Misuse | string>> = {
  drop_twice: misused(noResource),
  forge: misused(noResource),
  forge_zero: misused(noResource),
  stale: misused(noResource),
  other_kind: misused(/a handle is to a resource of another kind/),
  // result: err, stream-error: closed.
  read_after_end: "0100000001000000",
  read_twice_after_end: "0100000001000000",
  write_after_finish: "6e616d65",
  no_answer: misused(/the function gave no answer$/),
  // The right to answer went with the first answer.
  answer_twice: misused(noResource),
  unfinished: misused(/the function did not finish the body of its answer/),
  error_answer: misused(/the function answered with the error "internal-error"/),
  no_such_case: misused(/a variant has no case 39/),
  result_outside: misused(outside),
  result_unaligned: misused(/a result is to lie where it cannot/),
  string_too_long: misused(/a string has 4294967295 bytes, limit is \d+/),
  list_outside: misused(outside),
  name_no_utf8: misused(/a string is not UTF-8/),
  // result: err, header-error: invalid-syntax, and immutable.
  bad_header: "0100000000000000",
  split_header: "0100000000000000",
  frozen: "0102000000000000",
  trap: [502, "guest_trapped", /unreachable/],
  loop: [504, "cpu_exceeded", /CPU/],
  exit: [502, "program_failed", /the function ended itself with exit code 1/],
  hoard: [502, "guest_trapped", /more than \d+ resources at one time/],
  allocator_loops: [502, "guest_trapped", /the component's allocator ran too long/],
  allocator_lies: misused(outside),
};

/** On a busy machine the CPU limit would be met before the allocator's own bound: hence two seconds of it. */
test("what a component must not do has a code of its own, its log says what it was, and its neighbours are unharmed", async () => {
  await host.configure("puppet", { cpuMs: 2_000, env: { KEY: "value" } });
  await host.deploy("puppet", puppetComponent());
  for (const [act, wanted] of Object.entries(codes) as [Act, Misuse | string][]) {
    const answer = await host.call("puppet", { body: order(act) });
    if (typeof wanted === "string") {
      assert.deepEqual([answer.status, answer.bytes.toString("hex")], [200, wanted], act);
    } else {
      const [status, code, reason] = wanted;
      assert.equal(answer.status, status, `${act}: ${answer.text}`);
      assertProblem(answer, status, code);
      assert.match((await host.logs("puppet")).at(-1)?.message ?? "", reason, act);
    }
    const next = await host.call("puppet", { body: order("nothing") });
    assert.deepEqual([next.status, next.bytes.toString("hex")], [200, "0000000000000000"], act);
    assert.equal((await host.ask("GET", "/fn/peer/?name=me")).text, "Hello, me!", act);
  }
});

/** Uploads what must be refused, and gives the detail. */
async function refused(bytes: Uint8Array, status: number, code: string): Promise<string> {
  const answer = await host.upload("refused", bytes);
  assertProblem(answer, status, code);
  return String((answer.json() as { detail: unknown }).detail);
}

const replaced = (from: string, to: string): Buffer =>
  Buffer.from(component(echo).toString("latin1").replaceAll(from, to), "latin1");

test("interfaces that the host lacks are unknown_import, each one named", async () => {
  const detail = await refused(replaced("wasi:random/random@", "wasi:tandom/random@"), 422, "unknown_import");
  assert.match(detail, /"wasi:tandom\/random@0\.2\.12"/);
  const other = await refused(replaced("@0.2.12", "@0.3.12"), 422, "unknown_import");
  assert.match(other, /"wasi:io\/streams@0\.3\.12"/);
});

test("a component that exports no handler is unknown_abi, and what it exports is named", async () => {
  const detail = await refused(replaced("incoming-handler", "incoming-pandler"), 422, "unknown_abi");
  assert.match(detail, /"wasi:http\/incoming-pandler@0\.2\.12"/);
});

test("what is no component is invalid_module, 60 MB of it too", async () => {
  const whole = component(echo);
  const instantiated = section(2, Buffer.from([1, 0, 0, 0]));
  const cut = [9, 100, 5_000, whole.length - 1];
  for (const length of cut) await refused(whole.subarray(0, length), 422, "invalid_module");
  const large = Buffer.concat([whole.subarray(0, 8), section(1, Buffer.alloc(60_000_000)), instantiated]);
  await refused(large, 422, "invalid_module");
});

test("a component of 60 MB is taken, one over the limit is not, and neighbours are answered meanwhile", async () => {
  const padded = (bytes: number): Buffer =>
    Buffer.concat([component(echo), section(0, Buffer.concat([named("padding"), Buffer.alloc(bytes)]))]);
  const uploaded = host.upload("large", padded(60_000_000));
  assert.equal((await host.ask("GET", "/fn/peer/?name=you")).text, "Hello, you!");
  assert.equal((await uploaded).status, 201);
  assert.equal((await host.call("large", { body: "all the same" })).text, "all the same");
  const over = limits.moduleBytesMax - component(echo).byteLength;
  assertProblem(await host.upload("large", padded(over)), 413, "module_too_large");
  assert.equal((await host.call("large", { body: "still" })).text, "still");
});

test("components that multiply as they are instantiated are refused before anything runs", async () => {
  const header = Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  let nested = Buffer.concat([
    header,
    section(1, Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
    section(2, Buffer.from([1, 0, 0, 0])),
  ]);
  for (let depth = 0; depth < 12; depth += 1) {
    nested = Buffer.concat([header, section(4, nested), section(5, Buffer.from([2, 0, 0, 0, 0, 0, 0]))]);
  }
  assert.match(
    await refused(nested, 422, "unsupported_feature"),
    /core instances, limit is|componentInstancesMax|limit is 32/,
  );
});

test("names in a component are data: what looks like code is never run", async () => {
  const evil = `'+process.exit(1)+'\\0a\`\${process.exit(1)}*/__proto__`;
  const text = echo.replace(
    "(memory (export",
    `(func (export "${evil}")) (global (export "__proto__") i32 (i32.const 1)) (memory (export`,
  );
  await host.deploy("names", component(text));
  assert.equal((await host.call("names", { body: "alive" })).text, "alive");
});

test("a component asks the key-value stores of the host", async () => {
  const text = handler(
    `(call $open (i32.const 1024) (i32.const 4) (i32.const 512))
     (local.set $a (i32.load (i32.const 516)))
     (call $kv_set (local.get $a) (i32.const 1028) (i32.const 3) (i32.const 1031) (i32.const 5) (i32.const 512))
     (if (i32.load8_u (i32.const 512)) (then (unreachable)))
     (call $increment (local.get $a) (i32.const 1040) (i32.const 1) (i64.const -5) (i32.const 512))
     (if (i64.ge_s (i64.load (i32.const 520)) (i64.const 0)) (then (unreachable)))
     (call $kv_get (local.get $a) (i32.const 1028) (i32.const 3) (i32.const 512))
     (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 1)) (then (unreachable)))
     (call $answer (local.get $out) (i32.load (i32.const 520)) (i32.load (i32.const 524)))`,
    `(data (i32.const 1024) "shopkeyvalue    n")`,
    `(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
     (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $kv_set (param i32 i32 i32 i32 i32 i32)))
     (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $kv_get (param i32 i32 i32 i32)))
     (import "wasi:keyvalue/atomics@0.2.0-draft2" "increment" (func $increment (param i32 i32 i32 i64 i32)))`,
  );
  await host.deploy("kv", component(text));
  assert.equal((await host.call("kv")).text, "value");
});

const fetching = (authority: string): string => {
  const path = "/?name=abc";
  return handler(
    `(local.set $a (call $request_new (call $fields)))
     (drop (call $set_scheme (local.get $a) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
     (drop (call $set_authority (local.get $a) (i32.const 1) (i32.const 1024) (i32.const ${authority.length})))
     (drop (call $set_path (local.get $a) (i32.const 1) (i32.const 1280) (i32.const ${path.length})))
     (call $handle (local.get $a) (i32.const 0) (i32.const 0) (i32.const 512))
     (local.set $a (i32.load (i32.const 520)))
     (local.set $b (call $subscribe (local.get $a)))
     (call $block (local.get $b))
     (call $get (local.get $a) (i32.const 512))
     ;; some, ok, then the response or an error code
     (if (i32.load8_u (i32.const 528)) (then
       (call $answer (local.get $out) (i32.const 536) (i32.const 1)) (return)))
     (local.set $a (i32.load (i32.const 536)))
     (call $response_consume (local.get $a) (i32.const 512))
     (call $stream (i32.load (i32.const 516)) (i32.const 512))
     (call $read (i32.load (i32.const 516)) (i64.const 64) (i32.const 512))
     (call $answer (local.get $out) (i32.load (i32.const 516)) (i32.load (i32.const 520)))`,
    `(data (i32.const 1024) "${authority}") (data (i32.const 1280) "${path}")`,
    `(import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request_new (param i32) (result i32)))
     (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-scheme"
       (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
     (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
       (func $set_authority (param i32 i32 i32 i32) (result i32)))
     (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
       (func $set_path (param i32 i32 i32 i32) (result i32)))
     (import "wasi:http/outgoing-handler@0.2.12" "handle" (func $handle (param i32 i32 i32 i32)))
     (import "wasi:http/types@0.2.12" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
     (import "wasi:http/types@0.2.12" "[method]future-incoming-response.get" (func $get (param i32 i32)))
     (import "wasi:http/types@0.2.12" "[method]incoming-response.consume" (func $response_consume (param i32 i32)))
     (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))`,
  );
};

/** Places of the cases of wasi:http's error-code. */
const requestDenied = 15;

test("a component fetches by the rules of every function: other functions, and hosts that are allowed", async () => {
  await host.deploy("fetching", component(fetching("peer.mayfly.internal")));
  for (const _call of [1, 2]) assert.equal((await host.call("fetching")).text, "Hello, abc!");
  await host.deploy("denied", component(fetching(`127.0.0.1:${host.port}`)));
  assert.deepEqual([...(await host.call("denied")).bytes], [requestDenied]);
});

test("a component waits for its clock without holding its thread, and reads files, variables and time", async () => {
  const text = handler(
    `(call $block (call $after (i64.const 30000000)))
     (if (i64.eqz (call $now)) (then (unreachable)))
     (call $directories (i32.const 512))
     (local.set $a (i32.load (i32.load (i32.const 512))))
     (call $open (local.get $a) (i32.const 0) (i32.const 1024) (i32.const 8) (i32.const 1) (i32.const 3) (i32.const 512))
     (if (i32.load8_u (i32.const 512)) (then (unreachable)))
     (local.set $b (i32.load (i32.const 516)))
     (call $write_file (local.get $b) (i32.const 1024) (i32.const 8) (i64.const 0) (i32.const 512))
     (call $read_file (local.get $b) (i64.const 4) (i64.const 2) (i32.const 512))
     (local.set $c (i32.load (i32.const 516)))
     (call $open (local.get $a) (i32.const 0) (i32.const 1040) (i32.const 10) (i32.const 0) (i32.const 1) (i32.const 512))
     ;; err, not-permitted
     (if (i32.ne (i32.load8_u (i32.const 516)) (i32.const 31)) (then (unreachable)))
     (call $answer (local.get $out) (local.get $c) (i32.const 4))`,
    `(data (i32.const 1024) "tmp/file") (data (i32.const 1040) "../outside")`,
    `(import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
     (import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
     (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))
     (import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
     (import "wasi:filesystem/types@0.2.12" "[method]descriptor.open-at"
       (func $open (param i32 i32 i32 i32 i32 i32 i32)))
     (import "wasi:filesystem/types@0.2.12" "[method]descriptor.write" (func $write_file (param i32 i32 i32 i64 i32)))
     (import "wasi:filesystem/types@0.2.12" "[method]descriptor.read" (func $read_file (param i32 i64 i64 i32)))`,
  );
  await host.configure("files", { cpuMs: 1_000 });
  await host.deploy("files", component(text));
  const answers = await Promise.all(Array.from({ length: 8 }, () => host.call("files")));
  assert.deepEqual(
    answers.map((answer) => answer.text),
    Array(8).fill("p/fi"),
  );
});

test("a component that polls for ever ends at its deadline, and its neighbours are unharmed", async () => {
  const polls = handler(
    `(i32.store (i32.const 2048) (call $after (i64.const -1)))
     (call $poll (i32.const 2048) (i32.const 1) (i32.const 512))`,
    "",
    `(import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))
     (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))`,
  );
  await host.configure("polls", { timeoutMs: 500 });
  await host.deploy("polls", component(polls));
  assertProblem(await host.call("polls"), 504, "deadline_exceeded");
  assert.equal((await host.ask("GET", "/fn/peer/?name=me")).text, "Hello, me!");
});

test("a component that ends itself after its answer has answered", async () => {
  const exits = handler(
    `(call $answer (local.get $out) (i32.const 1024) (i32.const 4)) (call $exit (i32.const 1)) (unreachable)`,
    `(data (i32.const 1024) "done")`,
    `(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))`,
  );
  await host.deploy("exits", component(exits));
  assert.equal((await host.call("exits")).text, "done");
});

test("short calls of components run on the main thread, and those that wait on another", async () => {
  const inline = async (): Promise<number> =>
    Number(/^mayfly_inline_calls_total (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1]);
  const before = await inline();
  // A deploy that a busy machine held up has measured instances too dear for the main thread: another one tells.
  for (let deploy = 0; deploy < 10 && (await inline()) === before; deploy += 1) {
    await host.ask("DELETE", "/v1/functions/short");
    await host.deploy("short", helloComponent);
    for (let call = 0; call < 100 && (await inline()) === before; call += 1) {
      assert.equal((await host.ask("GET", "/fn/short/?name=you")).text, "Hello, you!");
    }
  }
  assert.ok((await inline()) > before, (await host.ask("GET", "/v1/functions/short")).text);
  const settled = await inline();
  for (let call = 0; call < 20; call += 1) assert.equal((await host.call("kv")).text, "value");
  assert.equal(await inline(), settled);
});
