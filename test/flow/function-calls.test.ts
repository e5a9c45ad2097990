// Functions that call one another: as over HTTP, without the network, in what is left of the caller's time.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { answering, assemble, literal } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { fetchMessage, readRequestMessage } from "../support/messages.ts";
import { TestHost } from "../support/test-host.ts";
import { fetcher, fetching } from "./fetch-guest.ts";
import { until } from "./supervised-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("fetcher", fetcher());
await host.deploy("good", answering("good"));
const { fetch, fails } = fetching(host);

/** Fetches by this message; its answer is one byte, one more than that of what it fetched, 0 when that failed. */
const deeper = (message: Uint8Array): Uint8Array =>
  assemble(`(module
    (import "mayfly" "fetch" (func $fetch (param i32 i32) (result i32)))
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "result_read" (func $result (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${literal(message)}")
    (func (export "mayfly_handle") (param i32) (local $n i32)
      (local.set $n (call $fetch (i32.const 0) (i32.const ${message.length})))
      (if (i32.ge_s (local.get $n) (i32.const 0)) (then
        (call $result (i32.const 1000))
        ;; The body is one byte: one deeper than what answered.
        (i32.store (i32.const 1000) (i32.const 8)) (i32.store (i32.const 1008) (i32.const 0))
        (i32.store8 (i32.const 1012) (i32.add (i32.load8_u (i32.sub (i32.add (i32.const 1000) (local.get $n)) (i32.const 1))) (i32.const 1)))
        (call $write (i32.const 1000) (i32.const 13))
        (return)))
      (call $result (i32.const 2000))
      (i32.store (i32.const 1000) (i32.const 8)) (i32.store (i32.const 1004) (i32.const 200))
      (i32.store (i32.const 1008) (i32.const 0)) (i32.store8 (i32.const 1012) (i32.const 0))
      (call $write (i32.const 1000) (i32.const 13))))`);

test("a function calls another one: no listing needed, and its answer is the one HTTP gives", async () => {
  const answer = await fetch("http://good.mayfly.internal/path?q=1");
  assert.deepEqual([answer.status, answer.text], [200, "good"]);
  for (const [name, status, code] of [
    ["nobody", 404, "function_not_found"],
    ["Not_A_Name", 400, "invalid_name"],
    ["a.b", 400, "invalid_name"],
  ] as const) {
    const failed = await fetch(`http://${name}.mayfly.internal/`);
    assert.equal(failed.status, status, name);
    assert.equal((failed.json() as { code: string }).code, code);
  }
  await fails("https://good.mayfly.internal/", "invalid_request");
  await fails("http://good.mayfly.internal:81/", "invalid_request");
});

test("what the other function is asked: method, path, headers, body, and who asks", async () => {
  const echo = assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "mayfly_handle") (param $bytes i32)
      (call $read (i32.const 12))
      (i32.store (i32.const 0) (i32.const 8)) (i32.store (i32.const 4) (i32.const 200))
      (call $write (i32.const 0) (i32.add (local.get $bytes) (i32.const 12)))))`);
  await host.deploy("echo", echo);
  const { bytes } = await fetch({
    method: "PUT",
    url: "http://echo.mayfly.internal/a?b=c",
    headers: [["x-mine", "1"]],
    body: "the body",
  });
  const { headers, body, ...rest } = readRequestMessage(bytes);
  assert.deepEqual(rest, {
    method: "PUT",
    url: "http://echo.mayfly.internal/a?b=c",
    path: "/a",
    query: "b=c",
    remoteAddress: "",
  });
  assert.deepEqual(Object.fromEntries(headers), {
    host: "echo.mayfly.internal",
    "x-mine": "1",
    "x-mayfly-function": "fetcher",
    "x-mayfly-depth": "1",
    "content-length": "8",
  });
  assert.equal(body.toString(), "the body");
});

test("D11: functions that call one another go sixteen deep", async () => {
  await host.deploy("deep", deeper(fetchMessage({ url: "http://deep.mayfly.internal/" })));
  await host.deploy("deep2", deeper(fetchMessage({ url: "http://deep2.mayfly.internal/" })));
  const answer = await host.call("deep");
  assert.deepEqual([answer.status, ...answer.bytes], [200, 16]);
});

test("the other function has no more time than its caller, and ends with it", async () => {
  await host.deploy(
    "loop",
    assemble(
      `(module (memory (export "memory") 1) (func (export "mayfly_handle") (param i32) (loop (br 0))))`,
    ),
  );
  await host.configure("loop", { cpuMs: 60_000, timeoutMs: 120_000 });
  await host.configure("fetcher", { timeoutMs: 200 });
  assert.equal((await fetch("http://loop.mayfly.internal/")).status, 504);
  await host.configure("fetcher", { timeoutMs: 60_000 });
  const limited = await fetch({ url: "http://loop.mayfly.internal/", timeoutMs: 100 });
  assert.equal(limited.status, 504);
  assert.match(limited.text, /100 ms, which its caller had left/);
  await until(async () => /^mayfly_live_calls 0$/m.test((await host.ask("GET", "/metrics")).text), 10_000);
});

test("a function that calls itself with one place in line is told so, and does not wait for itself", async () => {
  await host.configure("deep", { concurrency: 1 });
  // It passes on the status it was told.
  assert.equal((await host.call("deep")).status, 429);
  await until(async () => /^mayfly_live_calls 0$/m.test((await host.ask("GET", "/metrics")).text), 10_000);
});

test("a function that calls itself over HTTP comes no deeper", async () => {
  const url = `http://127.0.0.1:${host.port}/fn/outside`;
  const message = fetchMessage({ url });
  await host.deploy("outside", deeper(message));
  await host.configure("outside", { allowedHosts: ["127.0.0.1"] });
  const answer = await host.call("outside");
  assert.deepEqual([answer.status, ...answer.bytes], [200, 16]);
});

test("a request that claims a depth is taken at its word, and one that claims nonsense is not", async () => {
  for (const [depth, more] of [
    ["15", 1],
    ["16", 0],
    ["999", 0],
    ["-1", 16],
    ["1e1", 16],
    ["99999999999", 16],
  ] as const) {
    const answer = await host.call("deep2", { headers: { "x-mayfly-depth": depth } });
    assert.deepEqual([...answer.bytes], [more], depth);
  }
});

test("the control plane of a host without a token answers no function, however near", async () => {
  await host.configure("fetcher", { allowedHosts: ["127.0.0.1"] });
  const refused = (answer: Answer): void =>
    assert.deepEqual([answer.status, (answer.json() as { code: string }).code], [403, "origin_refused"]);
  for (const path of ["/v1/functions", "/metrics"])
    refused(await fetch(`http://127.0.0.1:${host.port}${path}`));
  const forged = await fetch({
    url: `http://127.0.0.1:${host.port}/v1/functions`,
    headers: [
      ["connection", "x-mayfly-function"],
      ["X-Mayfly-Function", "nobody"],
    ],
  });
  refused(forged);
  assert.equal((await fetch(`http://127.0.0.1:${host.port}/healthz`)).status, 200);
});
