import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";
import { Admission, decideAdmission, type Permit } from "../../host/invoke/admission.ts";

const bounds = { concurrency: 2, queue: 3, hostLiveMax: 10 };
const none = { running: 0, waiting: 0, hostLive: 0, draining: false };

const decisions = [
  [{ ...none }, "run"],
  [{ ...none, running: 1, hostLive: 1 }, "run"],
  [{ ...none, running: 2, hostLive: 2 }, "wait"],
  [{ ...none, running: 2, waiting: 2, hostLive: 4 }, "wait"],
  [{ ...none, running: 2, waiting: 3, hostLive: 5 }, "concurrency_limited"],
  // Nobody overtakes those who wait.
  [{ ...none, running: 1, waiting: 1, hostLive: 2 }, "wait"],
  [{ ...none, hostLive: 9 }, "run"],
  [{ ...none, hostLive: 10 }, "overloaded"],
  [{ ...none, draining: true }, "overloaded"],
] as const;

for (const [counts, decision] of decisions) {
  test(`decideAdmission answers ${decision} at ${JSON.stringify(counts)}`, () => {
    assert.equal(decideAdmission(counts, bounds), decision);
  });
}

test("decideAdmission with a queue of 0 refuses what cannot run", () => {
  assert.equal(
    decideAdmission({ ...none, running: 2, hostLive: 2 }, { ...bounds, queue: 0 }),
    "concurrency_limited",
  );
});

function deployment(name: string, concurrency: number, queue: number): Deployment {
  return {
    id: 1,
    name,
    version: 1,
    digest: "sha256:",
    abi: "assemblyscript",
    bytes: 1,
    createdAtMs: 0,
    freshCosts: null,
    metered: true,
    files: null,
    quarantined: false,
    config: { ...functionConfigDefault, concurrency, queue },
    configRevision: 1,
    alias: "live",
    isCanary: false,
  };
}

const ignore = (): void => {};
const codeIs = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("Admission lets calls in as permits are given back, first come first served", async () => {
  const admission = new Admission(10);
  const one = deployment("one", 1, 2);
  const first = (await admission.admit(one, ignore)) as Permit;
  const order: string[] = [];
  const enter = async (name: string): Promise<Permit> => {
    const permit = await admission.admit(one, ignore);
    order.push(name);
    return permit;
  };
  const second = enter("second");
  const third = enter("third");
  assert.throws(() => admission.admit(one, ignore), codeIs("concurrency_limited"));
  assert.equal(admission.live, 3);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  assert.deepEqual(order, ["second", "third"]);
  assert.equal(admission.live, 0);
});

test("Admission counts a permit that is given back twice once", async () => {
  const admission = new Admission(10);
  const permit = await admission.admit(deployment("one", 1, 0), ignore);
  permit[Symbol.dispose]();
  permit[Symbol.dispose]();
  assert.equal(admission.live, 0);
});

test("Admission frees the place of a call that leaves its queue", async () => {
  const admission = new Admission(10);
  const one = deployment("one", 1, 1);
  const first = await admission.admit(one, ignore);
  let leave: (error: HostError) => void = ignore;
  const waiting = Promise.resolve(
    admission.admit(one, (way) => {
      leave = way;
    }),
  );
  leave(new HostError("deadline_exceeded", "late"));
  await assert.rejects(waiting, codeIs("deadline_exceeded"));
  assert.equal(admission.live, 1);
  first[Symbol.dispose]();
  assert.equal(admission.live, 0);
  (await admission.admit(one, ignore))[Symbol.dispose]();
});

test("Admission keeps functions apart: one that is full does not hold another back", async () => {
  const admission = new Admission(10);
  await admission.admit(deployment("full", 1, 0), ignore);
  assert.throws(() => admission.admit(deployment("full", 1, 0), ignore), codeIs("concurrency_limited"));
  assert.ok(await admission.admit(deployment("other", 1, 0), ignore));
});

test("Admission.drain refuses new calls and resolves when the last one has ended", async () => {
  const admission = new Admission(10);
  const permit = await admission.admit(deployment("one", 1, 0), ignore);
  let drained = false;
  const draining = admission.drain().then(() => {
    drained = true;
  });
  assert.throws(() => admission.admit(deployment("two", 1, 0), ignore), codeIs("overloaded"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(drained, false);
  permit[Symbol.dispose]();
  await draining;
});
