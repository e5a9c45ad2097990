// What an outcome of the pool means for the call, and for the suspicion its version may be under.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { functionConfigDefault } from "../../host/function.ts";
import { Admission } from "../../host/invoke/admission.ts";
import type { BodyPost } from "../../host/invoke/call-streams.ts";
import { Invoker } from "../../host/invoke/invoker.ts";
import type { PoolCall, PoolOutcome, StopCode } from "../../host/invoke/pool.ts";
import type { BodySource } from "../../host/invoke/streamed-call.ts";

const deployment = {
  id: 7,
  name: "guest",
  version: 2,
  digest: "sha256:00",
  abi: "assemblyscript",
  bytes: 8,
  createdAtMs: 0,
  freshCosts: null,
  metered: true,
  files: null,
  quarantined: false,
  config: functionConfigDefault,
  configRevision: 1,
  alias: "live",
  isCanary: false,
} as const;

const watchGone = () => ({ [Symbol.dispose]: () => {} });
const request = { deployment, requestId: "r", message: new Uint8Array(0), depth: 0, watchGone };

/** An invoker whose scheduler settles each call with `outcome`, or runs it so until it is stopped. */
function invokerThatMeets(
  outcome: PoolOutcome | ((call: PoolCall) => void) | null,
  load: () => Promise<never> = async () => assert.fail(),
) {
  const survivals: boolean[] = [];
  const stops: StopCode[] = [];
  const loaded = {
    code: new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
    moduleBytes: 0,
    memory: null,
    resettable: false,
    readsBody: false,
    files: null,
  };
  const scheduler = {
    enqueue: (call: PoolCall) => {
      if (typeof outcome === "function") setImmediate(() => outcome(call));
      else if (outcome !== null) call.settle(outcome);
    },
    enqueueAgain: () => assert.fail("posted again"),
    ended: (_call: PoolCall, survived: boolean) => {
      survivals.push(survived);
      return false;
    },
    stop: (call: PoolCall, code: StopCode) => {
      stops.push(code);
      call.settle({ kind: "stopped", code, runMs: 1 });
    },
  };
  const invoker = new Invoker({
    secretsOf: () => [],
    holdMemory: () => null,
    admission: new Admission(),
    modules: { get: () => (outcome === null ? load() : { loaded }), kept: () => undefined },
    inline: null,
    scheduler,
    log: () => {},
    errands: {
      fetch: async () => assert.fail("nothing fetches"),
      ask: async () => assert.fail("nothing asks"),
    },
    exists: (id) => id !== deployment.id,
    onCleared: () => {},
  });
  return { invoker, survivals, stops };
}

const common = { begunAtMs: 0, timings: {}, logLines: 0 };
const rows: [name: string, outcome: PoolOutcome, code: string | null, survived: boolean][] = [
  ["answered", { kind: "answered", message: new Uint8Array(1), ...common }, null, true],
  ["failed", { kind: "failed", code: "guest_trapped", detail: "", ...common }, "guest_trapped", true],
  ["stopped as it ran", { kind: "stopped", code: "cpu_exceeded", runMs: 3 }, "cpu_exceeded", true],
  [
    "stopped before it ran",
    { kind: "stopped", code: "deadline_exceeded", runMs: null },
    "deadline_exceeded",
    false,
  ],
  ["lost with its thread", { kind: "lost" }, "worker_lost", false],
];

for (const [name, outcome, code, survived] of rows) {
  test(`a call that is ${name} ${survived ? "clears" : "does not clear"} its version of suspicion`, async () => {
    const { invoker, survivals } = invokerThatMeets(outcome);
    const answer = Promise.resolve(invoker.invoke(request));
    if (code === null) assert.equal((await answer).message?.byteLength, 1);
    else await assert.rejects(answer, { code });
    assert.deepEqual(survivals, [survived]);
  });
}

test("a call whose version is removed before its module is read is function_not_found", async () => {
  const { invoker } = invokerThatMeets(null, async () => {
    throw Object.assign(new Error("no such file"), { code: "ENOENT" });
  });
  await assert.rejects(Promise.resolve(invoker.invoke(request)), {
    code: "function_not_found",
    message: /guest@2.*removed/,
  });
});

test("a call whose body breaks is stopped, and ends with what broke it", async () => {
  const { invoker, stops } = invokerThatMeets((call) => call.streams.pull({} as BodyPost));
  const tooLarge = new HostError("body_too_large", "more came");
  const body: BodySource = { pull: (_into, fail) => fail(tooLarge) };
  await assert.rejects(Promise.resolve(invoker.invoke({ ...request, body })), { code: "body_too_large" });
  assert.deepEqual(stops, ["stream_failed"]);
});
