import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alias, Guard, Release } from "../../host/alias.ts";
import type { CallOutcome } from "../../host/errors.ts";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";
import { breachOf, CanaryWatch } from "../../host/invoke/canary-watch.ts";

const guard: Guard = { errorPercentMax: 10, p99MsMax: 100, callsMin: 10, windowMs: 1_200 };

const cases: readonly (readonly [number, number, number, RegExp | null])[] = [
  [9, 9, 9, null],
  [10, 1, 0, null],
  [10, 2, 0, /^2 of 10 calls .* failed, limit is 10 %$/],
  [100, 10, 0, null],
  [100, 11, 0, /failed/],
  [100, 0, 1, null],
  [100, 0, 2, /^2 of 100 calls .* took longer than 100 ms/],
  [199, 0, 2, /took longer/],
  [200, 0, 2, null],
];

for (const [calls, errors, slow, reason] of cases) {
  test(`of ${calls} calls ${errors} failed and ${slow} were slow: ${reason === null ? "within" : "over"} the bounds`, () => {
    const found = breachOf(guard, { calls, errors, slow });
    if (reason === null) assert.equal(found, null);
    else assert.match(found ?? "", reason);
  });
}

test("a bound that was not stated is none", () => {
  const none = { ...guard, errorPercentMax: null, p99MsMax: null };
  assert.equal(breachOf(none, { calls: 100, errors: 100, slow: 100 }), null);
});

const canary: Deployment = {
  id: 2,
  name: "f",
  version: 2,
  digest: "sha256:",
  abi: "assemblyscript",
  bytes: 0,
  createdAtMs: 0,
  freshCosts: null,
  metered: true,
  files: null,
  quarantined: false,
  config: functionConfigDefault,
  configRevision: 1,
  alias: "live",
  isCanary: true,
};

function watched(takeBack: () => Promise<void> = async () => {}) {
  const state = { nowMs: 0, revision: 1, taken: [] as string[], faults: 0 };
  const watch = new CanaryWatch({
    functions: {
      release: (): Release => {
        const alias: Alias = {
          function: "f",
          name: "live",
          version: 1,
          canary: { version: 2, share: 1_000, guard, takenBack: null },
          sticky: null,
          versionBefore: null,
          revision: state.revision,
          changedAtMs: 0,
        };
        return { alias, stable: { ...canary, id: 1, version: 1 }, canary };
      },
    },
    takeBack: ({ reason }) => {
      state.taken.push(reason);
      return takeBack();
    },
    onFault: () => {
      state.faults += 1;
    },
    now: () => state.nowMs,
  });
  const call = (outcome: CallOutcome, times = 1, status = outcome === "ok" ? 200 : 0, ms = 1): void => {
    for (let count = 0; count < times; count += 1) watch.ended(canary, outcome, ms, status);
  };
  return { state, call };
}

test("guest faults and answers from 500 on are errors, the caller's faults and full hosts are nothing", () => {
  const { state, call } = watched();
  call("ok", 8);
  for (const outcome of [
    "client_gone",
    "body_too_large",
    "overloaded",
    "concurrency_limited",
    "internal",
  ] as const) {
    call(outcome, 100);
  }
  call("ok", 1, 404);
  assert.deepEqual(state.taken, []);
  call("guest_trapped", 1);
  assert.deepEqual(state.taken, [], "1 of 10 is at the bound");
  call("ok", 1, 503);
  assert.equal(state.taken.length, 1);
  call("guest_trapped", 5);
  assert.equal(state.taken.length, 1, "once is enough");
});

test("what was before the window does not count", () => {
  const { state, call } = watched();
  call("ok", 8);
  call("guest_trapped", 1);
  state.nowMs = 1_200;
  call("guest_trapped", 5);
  assert.deepEqual(state.taken, []);
  call("ok", 20);
  assert.deepEqual(state.taken.length, 1, "five of the ten that are left");
});

test("a change of the alias begins a new window", () => {
  const { state, call } = watched();
  call("guest_trapped", 9);
  state.revision = 2;
  call("guest_trapped", 9);
  assert.deepEqual(state.taken, []);
});

test("a take-back that could not be stored is tried again at the next call", async () => {
  let full = true;
  const { state, call } = watched(async () => {
    if (full) throw new Error("the disk is full");
  });
  call("guest_trapped", 10);
  assert.equal(state.taken.length, 1);
  await new Promise(setImmediate);
  assert.equal(state.faults, 1);
  full = false;
  call("guest_trapped", 1);
  assert.equal(state.taken.length, 2);
  await new Promise(setImmediate);
  call("guest_trapped", 1);
  assert.equal(state.taken.length, 2);
});
