// Functions with threads of their own: who shares a pool with whom, and what becomes of one that idles.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { HostError } from "../../host/errors.ts";
import type { Pool, PoolCall, PoolOutcome } from "../../host/invoke/pool.ts";
import { Pools } from "../../host/invoke/pools.ts";
import { Scheduler } from "../../host/invoke/scheduler.ts";
import { limits } from "../../host/limits.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, assemble } from "../support/guests.ts";
import { noStreams } from "../support/streams.ts";
import { setupOf } from "./setup.ts";

const good = setupOf(answering("good"));
const sleep = setupOf(
  assemble(`(module (import "mayfly" "sleep" (func $sleep (param f64))) (memory (export "memory") 1)
    (func (export "mayfly_handle") (param i32) (call $sleep (f64.const 600000))))`),
);

const made: Pools[] = [];
after(() => Promise.all(made.map((pools) => pools.close())));

function started(maxThreads = 2) {
  const ended: Pool[] = [];
  const fault = (error: unknown): void => assert.fail(String(error));
  const pools: Pools = new Pools({
    minThreads: 1,
    maxThreads,
    runningFile: "",
    memoryBytesMax: 2 ** 30,
    threadIdleMs: 200,
    onRoom: () => scheduler.dispatch(),
    onEnded: (pool) => {
      ended.push(pool);
      scheduler.forget(pool);
    },
    onUnkillable: () => fault("unkillable"),
    onUnstartable: () => fault("unstartable"),
    onThreadLost: fault,
    onFault: fault,
    onBackstop: () => fault("backstop"),
  });
  made.push(pools);
  const scheduler: Scheduler = new Scheduler((call) => pools.of(call), []);
  const run = (functionName: string, ownThreads: boolean, setup = good) => {
    const { promise: done, resolve } = Promise.withResolvers<PoolOutcome>();
    const call: PoolCall = {
      key: functionName.charCodeAt(0),
      ownThreads,
      metered: true,
      versionId: functionName.charCodeAt(0),
      functionName,
      message: new Uint8Array(4),
      setup,
      streams: noStreams,
      log: () => {},
      errand: () => assert.fail("nothing is asked"),
      settle: (outcome) => {
        if (outcome.kind === "returned") return scheduler.enqueueAgain(call);
        scheduler.ended(call, true);
        resolve(outcome);
      },
    };
    scheduler.enqueue(call);
    return { call, done };
  };
  return { pools, scheduler, run, ended };
}

test("a function with threads of its own shares them with none, and they end when it idles", async () => {
  const { pools, run, ended } = started();
  assert.equal((await run("shared", false).done).kind, "answered");
  assert.equal((await run("mine", true).done).kind, "answered");
  const [own, other] = ["mine", "other"].map((functionName) => pools.of({ ownThreads: true, functionName }));
  const shared = pools.of({ ownThreads: false, functionName: "mine" });
  assert.equal(new Set([own, other, shared]).size, 3);
  assert.ok((own?.threads ?? 0) > 0 && (own?.threads ?? 0) <= 2);
  await until(() => ended.includes(own as Pool), 10_000);
  assert.ok(shared.threads > 0, "the shared pool stays");
  assert.equal((await run("mine", true).done).kind, "answered", "and they come again");
});

test("one function's threads are as many as it may have, and none is another's", async () => {
  const { pools, run, scheduler } = started(1);
  const sleepers = Array.from({ length: 40 }, () => run("mine", true, sleep));
  const own = pools.of({ ownThreads: true, functionName: "mine" });
  await until(() => own.posted === 40, 10_000);
  assert.equal(own.threads, 1);
  assert.equal((await run("shared", false).done).kind, "answered");
  for (const { call } of sleepers) scheduler.stop(call, "deadline_exceeded");
  for (const { done } of sleepers) assert.equal((await done).kind, "stopped");
  assert.equal(scheduler.waiting, 0);
});

test("so many functions may have threads of their own at one time; one that idles makes room", async () => {
  const { pools, run, scheduler, ended } = started();
  const name = (index: number): string => `f${index}`;
  const busy = run(name(0), true, sleep);
  for (let index = 1; index < limits.ownPoolsMax; index += 1) {
    pools.of({ ownThreads: true, functionName: name(index) });
  }
  assert.equal(ended.length, 0);
  const oldest = pools.of({ ownThreads: true, functionName: name(1) });
  pools.of({ ownThreads: true, functionName: "further" });
  assert.deepEqual(ended, [oldest]);
  const sleepers = Array.from({ length: limits.ownPoolsMax - 1 }, (_, index) =>
    run(`g${index}`, true, sleep),
  );
  assert.throws(
    () => run("one-too-many", true),
    (error) => error instanceof HostError && error.code === "overloaded",
  );
  for (const { call } of [busy, ...sleepers]) scheduler.stop(call, "deadline_exceeded");
  for (const { done } of [busy, ...sleepers]) assert.equal((await done).kind, "stopped");
  assert.equal((await run("one-too-many", true).done).kind, "answered");
});
