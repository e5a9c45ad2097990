// Attacks beyond the catalogue of docs/threat-model.md: on the seams between versions, configurations, the rewritten
// module, followers of logs and pipelined connections.

import { strict as assert } from "node:assert";
import { get, type IncomingMessage } from "node:http";
import { after, afterEach, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering, assemble, guest, literal, mirror } from "../support/guests.ts";
import { readRequestMessage, responseMessage } from "../support/messages.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import * as raw from "../wasm/module-bytes.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("good", answering("good"));
afterEach(async () => assert.equal((await host.call("good")).text, "good"));

test("code that names the function, global or type which the rewriting appends is refused", async () => {
  // One type, one function, no global, one memory; memory.grow makes the host append one of each.
  for (const reach of [
    [0x41, 0, 0x10, 1, 0x1a],
    [0x23, 0, 0x1a],
    [0x41, 1, 0x24, 0],
    [0x02, 1, 0x0b],
  ]) {
    const bytes = raw.codeModule(0x41, 0, 0x40, 0, 0x1a, ...reach);
    const answer = await host.upload("reach", bytes);
    assertProblem(answer, 422, "invalid_module");
  }
});

test("a body that looks like a request is no request, however early the answer to its own was", async () => {
  const smuggled = "DELETE /v1/functions/good HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const target of [
    "/fn/absent",
    "/fn/BAD",
    "/fn/good",
    "/v1/absent",
    "/v1/functions/good",
    "/healthz",
  ]) {
    const connection = await RawConnection.open(host.port);
    connection.write(
      `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    );
    assert.ok((await connection.answer()) !== null);
    connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    const next = await connection.answer();
    if (next !== null) assert.equal(next.body.toString(), '{"status":"live"}', target);
    connection.close();
    assert.equal((await host.ask("GET", "/v1/functions/good")).status, 200, target);
  }
});

test("a call sees all of one configuration or all of another, never half of each", async () => {
  const message = responseMessage({ body: "..." });
  const read = (name: number, at: number): string =>
    `(drop (call $env (i32.const ${name}) (i32.const 1))) (call $result (i32.const ${at}))`;
  const bytes = guest(
    `${read(100, 12)} ${read(101, 13)} ${read(102, 14)} (call $write (i32.const 0) (i32.const ${message.length}))`,
    `(data (i32.const 0) "${literal(message)}") (data (i32.const 100) "ABC")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))
     (import "mayfly" "env_get" (func $env (param i32 i32) (result i32)))
     (import "mayfly" "result_read" (func $result (param i32)))`,
  );
  await host.configure("env", { env: { A: "0", B: "0", C: "0" } });
  await host.deploy("env", bytes);
  for (let round = 1; round < 10; round += 1) {
    const digit = String(round);
    const change = host.configure("env", { env: { A: digit, B: digit, C: digit } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => host.call("env")));
    for (const { text } of answers) assert.match(text, /^(\d)\1\1$/);
    await change;
    assert.equal((await host.call("env")).text, digit.repeat(3), "a change holds once it is answered");
  }
});

test("a name that is removed and used again has nothing of the one before", async () => {
  const name = "phoenix";
  assertProblem(await host.call(name), 404, "function_not_found");
  for (const text of ["first", "second"]) {
    await host.deploy(name, answering(text));
    const answer = await host.call(name);
    assert.deepEqual([answer.text, answer.header("x-mayfly-version")], [text, "1"]);
    await host.configure(name, { concurrency: 1 });
    assert.equal((await host.ask("DELETE", `/v1/functions/${name}`)).status, 204);
    assertProblem(await host.call(name), 404, "function_not_found");
  }
});

test("a function removed under running calls lets them end and answers no more", async () => {
  await host.deploy("leaving", answering("leaving"));
  const calls = Array.from({ length: 20 }, () => host.call("leaving"));
  const removal = host.ask("DELETE", "/v1/functions/leaving");
  for (const answer of await Promise.all(calls)) assert.ok([200, 404].includes(answer.status), answer.text);
  assert.equal((await removal).status, 204);
  assertProblem(await host.call("leaving"), 404, "function_not_found");
});

test("calls that double at each of forty levels, without a loop, end at the CPU limit and never in a start function", async () => {
  const levels = Array.from(
    { length: 40 },
    (_, at) => `(func $f${at} (call $f${at + 1}) (call $f${at + 1}))`,
  );
  const functions = `${levels.join("")} (func $f40)`;
  await host.configure("doubling", { cpuMs: 60 });
  await host.deploy("doubling", guest("(call $f0)", functions));
  assertProblem(await host.call("doubling"), 504, "cpu_exceeded");
  assertProblem(await host.upload("doubling", guest("", `${functions} (start $f0)`)), 422, "start_failed");
});

test("eighty thousand nested blocks are refused or run, and the host lives", async () => {
  const depth = 80_000;
  const body = new Uint8Array(depth * 3).fill(0x0b);
  for (let at = 0; at < depth; at += 1) body.set([0x02, 0x40], at * 2);
  const bytes = raw.module(
    raw.types(raw.functionType([raw.i32])),
    raw.section(3, [1, 0]),
    raw.section(5, [1, 0, 1]),
    raw.section(
      7,
      raw.vector([
        [raw.name("memory"), 2, 0],
        [raw.name("mayfly_handle"), 0, 0],
      ]),
    ),
    raw.section(10, raw.vector([raw.sized([0, body, raw.end])])),
  );
  const answer = await host.upload("nested", bytes);
  if (answer.status === 201) assertProblem(await host.call("nested"), 502, "bad_guest_output");
  else assert.equal(answer.status, 422, answer.text);
});

test("a memory of no pages takes no request and gives no answer", async () => {
  const bytes = assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 0 0)
    (func (export "mayfly_handle") (param $n i32)
      (call $write (i32.const 0) (i32.const 0)) (call $read (i32.const 0))))`);
  await host.deploy("no-pages", bytes);
  assertProblem(await host.call("no-pages"), 502, "bad_guest_output");
});

test("request headers with the names of object members arrive as any other", async () => {
  await host.deploy("mirror", mirror());
  const names = ["__proto__", "constructor", "hasownproperty", "tostring", "then"];
  const connection = await RawConnection.open(host.port);
  connection.write(
    `GET /fn/mirror HTTP/1.1\r\nHost: h\r\n${names.map((name) => `${name}: evil\r\n`).join("")}\r\n`,
  );
  const answer = await connection.answer();
  connection.close();
  const { headers } = readRequestMessage(answer?.body ?? Buffer.alloc(0));
  assert.deepEqual(
    headers.slice(1),
    names.map((name) => [name, "evil"]),
  );
  const control = await host.ask("GET", "/v1/functions", {
    headers: { ["__proto__"]: "x", constructor: "y" },
  });
  assert.equal(control.status, 200);
});

test("five uploads at once all end, each with a version of its own", async () => {
  const names = Array.from({ length: 5 }, (_, at) => `crowd-${at}`);
  const answers = await Promise.all(names.map((name) => host.upload(name, answering("crowd"))));
  for (const answer of answers) assert.equal(answer.status, 201, answer.text);
  for (const name of names) assert.equal((await host.call(name)).text, "crowd");
});

test("followers of logs beyond their bound are told so, and places become free again", async () => {
  const follow = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get(`${host.host.url}/v1/functions/good/logs?follow=1`, { agent: false }, resolve).on("error", reject);
    });
  const open = await Promise.all(Array.from({ length: limits.logFollowersMax }, follow));
  const refused = await follow();
  let text = "";
  for await (const chunk of refused) text += chunk;
  assert.match(text, /too many followers/);
  for (const stream of open) stream.destroy();
  for (;;) {
    const next = await follow();
    const ended = await Promise.race([
      new Promise<boolean>((resolve) => next.once("data", () => resolve(true))),
      new Promise<boolean>((resolve) => setTimeout(resolve, 200, false)),
    ]);
    next.destroy();
    if (!ended) break;
  }
});
