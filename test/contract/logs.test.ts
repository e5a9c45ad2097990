// A function's log over the control plane: recent lines, the stream, and when a line can be read.

import { strict as assert } from "node:assert";
import { get, type IncomingMessage } from "node:http";
import { after, test } from "node:test";
import type { LogLine } from "../../host/invocation.ts";
import { limits } from "../../host/limits.ts";
import { guest, literal, order, puppet } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

/** Logs its request's first three body bytes at the level in the fourth. */
const ok = responseMessage({ body: "ok" });
const logger = guest(
  `(local $body i32)
  (call $read (i32.const 1024))
  (local.set $body (i32.add (i32.const 1028) (i32.load (i32.const 1024))))
  (call $log (i32.sub (i32.load8_u offset=3 (local.get $body)) (i32.const 48)) (local.get $body) (i32.const 3))
  (call $write (i32.const 0) (i32.const ${ok.length}))`,
  `(data (i32.const 0) "${literal(ok)}")`,
  `(import "mayfly" "request_read" (func $read (param i32)))
   (import "mayfly" "response_write" (func $write (param i32 i32)))
   (import "mayfly" "log" (func $log (param i32 i32 i32)))`,
);
await host.deploy("logger", logger);
await host.deploy("puppet", puppet());

test("a call's lines can be read once its answer is sent, each with time, level, request id and version", async () => {
  for (const [digit, level] of ["debug", "info", "warn", "error", "info"].entries()) {
    const text = `a${digit}z`;
    const answer = await host.call("logger", { body: `${text}${digit}` });
    const line = (await host.logs("logger")).find(({ message }) => message === text);
    assert.ok(line !== undefined, `no line ${text}`);
    assert.equal(line.level, level);
    assert.equal(line.requestId, answer.header("x-mayfly-request-id"));
    assert.equal(line.version, 1);
    assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
});

test("the lines of a call that was stopped can be read too", async () => {
  await host.configure("puppet", { cpuMs: 30 });
  const answer = await host.call("puppet", { body: order("log_storm", 0, 5) });
  assert.ok(answer.status === 504 || answer.status === 502, answer.text);
  const lines = await host.logs("puppet");
  const own = lines.filter(({ requestId }) => requestId === answer.header("x-mayfly-request-id"));
  assert.ok(own.length > 1);
});

test("a flood is cut with a line that says so", async () => {
  await host.configure("puppet", { cpuMs: 20_000 });
  const answer = await host.call("puppet", { body: order("log_storm", 0, 5) });
  assertProblem(answer, 502, "guest_trapped");
  const lines = (await host.ask("GET", "/v1/functions/puppet/logs?lines=10000")).json() as {
    lines: LogLine[];
  };
  const own = lines.lines.filter(({ requestId }) => requestId === answer.header("x-mayfly-request-id"));
  assert.equal(own.length, limits.logLinesPerCallMax + 2, "the lines, the cut, the trap");
  assert.match(own.at(-2)?.message ?? "", /^log cut: /);
  assert.match(own.at(-1)?.message ?? "", /host calls/);
});

test("lines=N gives the newest N, oldest first", async () => {
  for (const text of ["n01", "n02", "n03"]) await host.call("logger", { body: `${text}1` });
  const answer = await host.ask("GET", "/v1/functions/logger/logs?lines=2");
  const { lines } = answer.json() as { lines: LogLine[] };
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["n02", "n03"],
  );
  for (const query of ["lines=-1", "lines=10001", "lines=x", "lines=1.5", "follow=2", "other=1"]) {
    assertProblem(await host.ask("GET", `/v1/functions/logger/logs?${query}`), 400, "bad_request");
  }
});

test("?follow=1 streams the past and then each new line as server-sent events", async () => {
  await host.call("logger", { body: "old1" });
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${host.host.url}/v1/functions/logger/logs?follow=1`, { agent: false }, resolve).on("error", reject);
  });
  try {
    assert.match(stream.headers["content-type"] ?? "", /^text\/event-stream/);
    let text = "";
    const arrived = async (part: string): Promise<void> => {
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        text += chunk;
        if (text.includes(part)) return;
      }
      assert.fail(`the stream ended without ${part}: ${text}`);
    };
    stream.setEncoding("utf8");
    await arrived('"message":"old"');
    await host.call("logger", { body: "new2" });
    await arrived('"message":"new"');
    const data = text.split("\n").filter((line) => line.startsWith("data: "));
    const lines = data.map((line) => JSON.parse(line.slice(6)) as LogLine);
    assert.equal(lines.filter(({ message }) => message === "new").length, 1);
    assert.equal(lines.at(-1)?.level, "warn");
  } finally {
    stream.destroy();
  }
});

test("a function that is not there has no log", async () => {
  assertProblem(await host.ask("GET", "/v1/functions/absent/logs"), 404, "function_not_found");
  assertProblem(await host.ask("GET", "/v1/functions/absent/logs?follow=1"), 404, "function_not_found");
});
