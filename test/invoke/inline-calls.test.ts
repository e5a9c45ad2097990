// Which calls are tried on the main thread, and how much of its time they get.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";
import { InlineCalls } from "../../host/invoke/inline-calls.ts";
import type { InlineAnswer } from "../../host/worker/inline-runner.ts";
import type { ModuleSetup } from "../../host/worker/protocol.ts";

const deployment: Deployment = {
  id: 7,
  name: "guest",
  version: 1,
  digest: "sha256:0",
  abi: "assemblyscript",
  bytes: 1,
  createdAtMs: 0,
  freshCosts: { newUs: 1, resetUs: null },
  quarantined: false,
  metered: true,
  files: null,
  config: functionConfigDefault,
  configRevision: 1,
  alias: "live",
  isCanary: false,
};
const answer: InlineAnswer = {
  message: new Uint8Array(0),
  begunAtMs: 0,
  timings: { instantiate: 0, run: 0, cpu: 0, pageMs: 0, hostCalls: 0 },
  lines: [],
};
const setup = { memory: { initialPages: 16, maximumPages: 16 } } as ModuleSetup;
const request = { deployment, setup, message: new Uint8Array(9), leftMs: 1_000 };
const holdMs = (ms: number): void => {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
};

function inline({ ms = 0, ends = true, suspect = -1 } = {}) {
  let runs = 0;
  const run = (): InlineAnswer | null => {
    runs += 1;
    holdMs(ms);
    return ends ? answer : null;
  };
  const calls = new InlineCalls({ run }, (versionId) => versionId === suspect);
  return { calls, runs: () => runs };
}

test("a call is tried unless its version may not: suspects, unmetered ones, ones that stay on their threads", () => {
  assert.equal(inline().calls.mayTry(deployment), true);
  assert.equal(inline({ suspect: 7 }).calls.mayTry(deployment), false);
  assert.equal(inline().calls.mayTry({ ...deployment, metered: false }), false);
  for (const isolation of ["fresh", "snapshot", "reuse", "dedicated"] as const) {
    const config = { ...functionConfigDefault, isolation };
    const wanted = isolation === "fresh" || isolation === "snapshot";
    assert.equal(inline().calls.mayTry({ ...deployment, config }), wanted, isolation);
  }
});

test("a large memory, a large request or little time left are for a thread, and count as nothing", () => {
  const { calls, runs } = inline();
  const large = { ...setup, memory: { initialPages: 17, maximumPages: 17 } };
  for (const part of [{ setup: large }, { message: new Uint8Array(65_537) }, { leftMs: 4 }]) {
    assert.equal(calls.run({ ...request, ...part }), null);
  }
  assert.equal(runs(), 0);
  assert.equal(calls.mayTry(deployment), true);
  assert.equal(calls.run(request), answer);
  assert.deepEqual([runs(), calls.count], [1, 1]);
});

test("one that came to nothing is not tried again until threads have found others short", () => {
  const { calls } = inline({ ends: false });
  assert.equal(calls.run(request), null);
  assert.equal(calls.mayTry(deployment), false);
  assert.equal(calls.count, 0);
  calls.onThread(deployment, 0.01);
  calls.onThread(deployment, 0.01);
  assert.equal(calls.mayTry(deployment), true);
});

test("a turn of the event loop has room for so much of them, and the next one again", async () => {
  const { calls } = inline({ ms: 2.5 });
  assert.equal(calls.run(request), answer);
  assert.equal(calls.mayTry(deployment), false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(calls.mayTry(deployment), true);
});
