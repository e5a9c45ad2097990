// Guests that wait, give way and are stopped while they do: many share one thread, none keeps another
// from being answered, and whoever is stopped frees what it held.

import { strict as assert } from "node:assert";
import { request as httpRequest } from "node:http";
import { after, test } from "node:test";
import { answering, assemble, literal } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());

/** Waits as many milliseconds as the body's first byte times ten, by `act`, then answers "done". */
const sleeper = (act: string): Uint8Array =>
  assemble(`(module
    (import "mayfly" "sleep" (func $sleep (param f64)))
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${literal(responseMessage({ body: "done" }))}")
    (func (export "mayfly_handle") (param $bytes i32) (local $ms f64)
      (call $read (i32.const 64))
      (local.set $ms (f64.mul (f64.const 10)
        (f64.convert_i32_u (i32.load8_u (i32.add (i32.const 68) (i32.load (i32.const 64)))))))
      ${act}
      (call $write (i32.const 0) (i32.const ${responseMessage({ body: "done" }).length}))))`);

const tens = (count: number): { readonly body: Uint8Array } => ({ body: Uint8Array.of(count) });
const looping = assemble(`(module (memory (export "memory") 1)
  (func (export "mayfly_handle") (param i32) (loop (br 0))))`);

await host.deploy("sleeper", sleeper("(call $sleep (local.get $ms))"));
await host.deploy("good", answering("good"));
await host.deploy("loop", looping);

/** Sends a call and goes away once `gone` has resolved. */
async function leave(name: string, gone: () => Promise<unknown>, body = Uint8Array.of(200)): Promise<void> {
  const sent = httpRequest({ port: host.port, path: `/fn/${name}`, method: "POST" });
  sent.on("error", () => {});
  sent.end(body);
  await gone();
  sent.destroy();
}

const liveCalls = async (): Promise<number> =>
  Number(/^mayfly_live_calls (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1]);

const phases = (answer: Answer): Map<string, number> =>
  new Map(
    String(answer.header("server-timing"))
      .split(", ")
      .map((entry) => entry.split(";dur="))
      .map(([phase = "", ms]) => [phase, Number(ms)]),
  );

test("what a guest had waited when its time was over is wait, not queue", async () => {
  await host.configure("sleeper", { timeoutMs: 500 });
  const answer = await host.call("sleeper", tens(200));
  assertProblem(answer, 504, "deadline_exceeded");
  const { wait = 0, queue = 0, instantiate } = Object.fromEntries(phases(answer));
  assert.ok(wait > queue && instantiate !== undefined, String(answer.header("server-timing")));
  await host.configure("sleeper", {});
});

test("sleep waits, and its time is wait, not run and not CPU time", async () => {
  // More CPU time than that would have ended it.
  await host.configure("sleeper", { cpuMs: 100 });
  const began = Date.now();
  const answer = await host.call("sleeper", tens(20));
  assert.equal(answer.text, "done");
  const elapsedMs = Date.now() - began;
  assert.ok(elapsedMs >= 199);
  const timing = phases(answer);
  assert.ok(Number(timing.get("wait")) >= 199, String(answer.header("server-timing")));
  // Neither holds the other: together they are no more than what passed.
  assert.ok(Number(timing.get("wait")) + Number(timing.get("run")) <= elapsedMs + 1);
  assert.ok(Number(answer.header("x-mayfly-cpu-ms")) <= 100);
});

test("a time that is none is no wait: negative, not a number; sleep(0) is one turn", async () => {
  for (const [name, ms] of [
    ["negative", "-1e300"],
    ["nan", "nan"],
    ["zero", "0"],
  ] as const) {
    await host.deploy(`sleep-${name}`, sleeper(`(call $sleep (f64.const ${ms}))`));
    assert.equal((await host.call(`sleep-${name}`, tens(0))).text, "done");
  }
});

test("500 calls that wait share one thread: together they take about as long as one", async () => {
  await host.configure("sleeper", { concurrency: 500 });
  const answers = await Promise.all(Array.from({ length: 500 }, () => host.call("sleeper", tens(30))));
  for (const answer of answers) assert.equal(answer.text, "done");
  const threads = /^mayfly_threads (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1];
  assert.equal(threads, "1");
});

test("short calls are answered while endless loops run on the one thread, and every loop ends", async () => {
  await host.configure("loop", { cpuMs: 300, timeoutMs: 60_000 });
  let ended = 0;
  const loops = Array.from({ length: 8 }, async () => {
    const answer = await host.call("loop");
    ended += 1;
    return answer;
  });
  await until(async () => (await liveCalls()) === 8, 10_000);
  for (let count = 0; count < 50; count += 1) assert.equal((await host.call("good")).text, "good");
  assert.ok(ended < 8, "the loops still ran");
  for (const answer of await Promise.all(loops)) assertProblem(answer, 504, "cpu_exceeded");
});

test("one call of a function is answered while a thousand of another wait for the thread", async () => {
  // On a busy machine so much CPU time takes a while.
  await host.configure("loop", { cpuMs: 15, concurrency: 1_000, timeoutMs: 110_000 });
  const many = Promise.all(Array.from({ length: 300 }, () => host.call("loop")));
  await until(async () => (await liveCalls()) >= 200, 10_000);
  assert.equal((await host.call("good")).text, "good");
  assert.ok((await liveCalls()) > 100, "most of the others still wait");
  for (const answer of await many) assertProblem(answer, 504, "cpu_exceeded");
});

test("the wall clock ends a call that waits, at once and on a thread that lives on", async () => {
  await host.configure("sleeper", { timeoutMs: 60 });
  assertProblem(await host.call("sleeper", tens(250)), 504, "deadline_exceeded");
  assert.equal((await host.call("good")).text, "good");
});

const swallows: readonly (readonly [name: string, act: string])[] = [
  ["again and again", "(loop (try (do (call $sleep (f64.const 1e9))) (catch_all)) (br 0))"],
  ["and loops", "(try (do (call $sleep (f64.const 1e9))) (catch_all (loop (br 0))))"],
];
for (const [name, act] of swallows) {
  test(`a guest that catches its stop inside sleep ${name} ends all the same`, async () => {
    await host.configure("swallow", { timeoutMs: 60, cpuMs: 60_000 });
    await host.deploy("swallow", sleeper(act));
    assertProblem(await host.call("swallow", tens(0)), 504, "deadline_exceeded");
    assert.equal(await liveCalls(), 0);
  });
}

test("sleep while the start function runs is refused", async () => {
  const starts = assemble(`(module (import "mayfly" "sleep" (func $sleep (param f64)))
    (memory (export "memory") 1) (func $s (call $sleep (f64.const 1))) (start $s)
    (func (export "mayfly_handle") (param i32)))`);
  assertProblem(await host.upload("sleepy-start", starts), 422, "start_failed");
});

/** Says in its log that it has begun, then acts for ever. */
const loud = (act: string): Uint8Array =>
  assemble(`(module
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (import "mayfly" "sleep" (func $sleep (param f64)))
    (memory (export "memory") 1) (data (i32.const 0) "begun")
    (func (export "mayfly_handle") (param i32)
      (call $log (i32.const 1) (i32.const 0) (i32.const 5)) ${act}))`);

for (const [what, act] of [
  ["runs", "(loop (br 0))"],
  ["waits", "(call $sleep (f64.const 1e9))"],
] as const) {
  test(`a client that goes away while its call ${what} stops it, and frees its place`, async () => {
    const name = `loud-${what}`;
    const said = async (): Promise<string[]> => (await host.logs(name)).map(({ message }) => message);
    await host.deploy(name, loud(act));
    await host.configure(name, { cpuMs: 60_000, timeoutMs: 120_000, concurrency: 1, queue: 0 });
    await leave(name, () => until(async () => (await said()).length === 1, 10_000));
    await until(async () => (await liveCalls()) === 0, 10_000);
    assert.deepEqual(await said(), ["begun", "stopped: the client went away"]);
    const { text } = await host.ask("GET", "/metrics");
    assert.match(text, /mayfly_calls_total\{outcome="client_gone"\} [1-9]/);
  });
}

test("a client that goes away while its call is queued leaves the queue", async () => {
  await host.configure("loop", { cpuMs: 60_000, timeoutMs: 120_000, concurrency: 1, queue: 1 });
  let release = (): void => {};
  const held = leave("loop", () => new Promise<void>((resolve) => (release = resolve)));
  await until(async () => (await liveCalls()) === 1, 10_000);
  await leave("loop", () => until(async () => (await liveCalls()) === 2, 10_000));
  await until(async () => (await liveCalls()) === 1, 10_000);
  release();
  await held;
  await until(async () => (await liveCalls()) === 0, 10_000);
});

test("an import exported as the entry point is called like any other", async () => {
  const odd = assemble(`(module (import "mayfly" "result_read" (func $read (param i32)))
    (memory (export "memory") 1) (export "mayfly_handle" (func $read)))`);
  await host.deploy("odd", odd);
  assertProblem(await host.call("odd"), 502, "bad_guest_output");
});
