// A function's log over the control plane: recent lines, the stream, and when a line can be read.

import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, get, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { getRequestListener } from "@hono/node-server";
import { logRoutes } from "../../host/http/log-routes.ts";
import type { LogLine } from "../../host/invocation.ts";
import { limits } from "../../host/limits.ts";
import { LogStore } from "../../host/observe/log-store.ts";
import { assemble, guest, literal, order, puppet } from "../support/guests.ts";
import { withLocalAccess } from "../support/local-access.ts";
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

test("a function may have a name that means something to JavaScript", async () => {
  for (const name of ["error", "constructor", "newlistener"]) {
    await host.deploy(name, logger);
    const answer = await host.call(name, { body: "abc1" });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(
      (await host.logs(name)).map(({ message }) => message),
      ["abc"],
    );
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

test("a trap's line has the guest's frames, with their names where the module has them", async () => {
  const trapping = (name: string): string => `(module (memory (export "memory") 1)
    (func ${name} unreachable) (func (export "mayfly_handle") (param i32) (call 0)))`;
  const framesOf = async (name: string, bytes: Uint8Array): Promise<string> => {
    await host.deploy(name, bytes);
    assertProblem(await host.call(name), 502, "guest_trapped");
    return (await host.logs(name)).at(-1)?.message ?? "";
  };
  const place = "wasm-function\\[\\d+\\]:0x[0-9a-f]+";
  const bare = new RegExp(`^trap: unreachable(\\n {4}at ${place}){2}$`);
  assert.match(await framesOf("bare", assemble(trapping(""))), bare);
  const named = new RegExp(`^trap: unreachable\\n {4}at inner \\(${place}\\)\\n`);
  assert.match(await framesOf("named", assemble(trapping("$inner"), {}, true)), named);
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

/** The routes alone over a store of their own, with a short bound for readers that stand still. */
async function serveLogs(writeStallTimeoutMs: number) {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-log-routes-"));
  const logs = new LogStore({ folder, onFault: assert.ifError });
  const routes = withLocalAccess(logRoutes({ functions: { live: () => ({}) }, logs, writeStallTimeoutMs }));
  const server = createServer(getRequestListener(routes.fetch, { overrideGlobalObjects: false }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    logs,
    server,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await logs.flush();
      await rm(folder, { recursive: true });
    },
  };
}

function placesLeft(logs: LogStore): number {
  const places = Array.from({ length: limits.logFollowersMax }, () => logs.follow("other", () => {}));
  for (const place of places) place?.[Symbol.dispose]();
  return places.filter((place) => place !== null).length;
}

test("a follower that stands still is cut off and gives its place back; one that is only quiet stays", async () => {
  await using served = await serveLogs(200);
  const line = (message: string): LogLine => {
    return { time: new Date().toISOString(), level: "info", requestId: "", version: 1, message };
  };
  const quiet = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`http://127.0.0.1:${served.port}/quiet/logs?follow=1`, { agent: false }, resolve).on("error", reject);
  });
  quiet.setEncoding("utf8");
  // Nobody listens for its data: the socket reads a little and then nothing more.
  const accepted = once(served.server, "connection") as Promise<[Socket]>;
  const still = connect(served.port, "127.0.0.1").on("error", () => {});
  still.write("GET /still/logs?follow=1 HTTP/1.1\r\nHost: h\r\n\r\n");
  try {
    const [socket] = await accepted;
    const cut = once(socket, "close", { signal: AbortSignal.timeout(20_000) });
    await once(still, "readable");
    // More than the kernel keeps for a connection.
    const text = "x".repeat(limits.logLineBytesMax);
    for (let at = 0; at < 4_000; at += 1) served.logs.append("still", line(`${at} ${text}`));
    await cut;
    const endMs = performance.now() + 20_000;
    while (placesLeft(served.logs) < limits.logFollowersMax - 1 && performance.now() < endMs) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(placesLeft(served.logs), limits.logFollowersMax - 1, "only the quiet one has a place");
    served.logs.append("quiet", line("after all"));
    let heard = "";
    for await (const chunk of quiet) {
      heard += chunk;
      if (heard.includes("after all")) break;
    }
    assert.match(heard, /"message":"after all"/);
  } finally {
    still.destroy();
    quiet.destroy();
  }
});

test("a call that outlives its function leaves no line for the next function of that name", async () => {
  for (const redeployed of ["before the call ends", "after it"]) {
    await host.deploy("passing", puppet());
    const call = host.call("passing", { body: order("loop") });
    while (!(await host.ask("GET", "/metrics")).text.includes("\nmayfly_live_calls 1\n"));
    assert.equal((await host.ask("DELETE", "/v1/functions/passing")).status, 204);
    if (redeployed === "after it") await call;
    await host.deploy("passing", logger);
    assertProblem(await call, 504, "cpu_exceeded");
    assert.deepEqual(await host.logs("passing"), [], redeployed);
  }
});

test("a function that is not there has no log", async () => {
  assertProblem(await host.ask("GET", "/v1/functions/absent/logs"), 404, "function_not_found");
  assertProblem(await host.ask("GET", "/v1/functions/absent/logs?follow=1"), 404, "function_not_found");
});
