// When a version's calls are tried on the main thread, as a table of what has been seen of them.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";
import { InlinePolicy, shortMs } from "../../host/invoke/inline-policy.ts";

const deployment = (freshCosts: Deployment["freshCosts"], id = 1): Deployment => ({
  id,
  name: "guest",
  version: 1,
  digest: "sha256:0",
  abi: "assemblyscript",
  bytes: 1,
  createdAtMs: 0,
  freshCosts,
  quarantined: false,
  metered: true,
  files: null,
  config: functionConfigDefault,
  configRevision: 1,
  alias: "live",
  isCanary: false,
});

const quick = deployment({ newUs: 500, resetUs: 2 });

test("the first call is tried when the deploy found an instance quick to make, in the way that was chosen", () => {
  const rows: [Deployment["freshCosts"], boolean][] = [
    [{ newUs: 20, resetUs: null }, true],
    [{ newUs: 500, resetUs: 2 }, true],
    [{ newUs: 500, resetUs: null }, false],
    [{ newUs: 500, resetUs: 400 }, false],
    [null, false],
  ];
  for (const [costs, wanted] of rows) assert.equal(new InlinePolicy().mayTry(deployment(costs)), wanted);
});

test("a version not known to be quick is tried once a thread has found a call of it short", () => {
  const slow = deployment(null);
  const policy = new InlinePolicy();
  policy.onThread(slow, 50);
  policy.onThread(slow, null);
  assert.equal(policy.mayTry(slow), false, "long ones and ones that waited say nothing for it");
  policy.onThread(slow, shortMs);
  assert.equal(policy.mayTry(slow), true);
});

test("after each try that came to nothing twice as many short calls are to be seen", () => {
  const policy = new InlinePolicy();
  for (const wanted of [2, 4, 8, 16]) {
    policy.gaveUp(quick);
    let seen = 0;
    for (; !policy.mayTry(quick); seen += 1) policy.onThread(quick, shortMs);
    assert.equal(seen, wanted);
  }
});

test("late ends count when they come in a row", () => {
  const policy = new InlinePolicy();
  for (let count = 0; count < 100; count += 1) {
    policy.ended(quick, count % 3 === 2 ? shortMs : 2 * shortMs);
    assert.equal(policy.mayTry(quick), true);
  }
  for (let count = 0; count < 3; count += 1) policy.ended(quick, 2 * shortMs);
  assert.equal(policy.mayTry(quick), false);
});

test("calls that are long each second time are seen, and a stumble of the machine now and then is none", () => {
  const policy = new InlinePolicy();
  for (let count = 0; count < 1_000; count += 1) {
    policy.ended(quick, count % 50 === 0 ? 100 : shortMs / 2);
    assert.equal(policy.mayTry(quick), true);
  }
  let calls = 0;
  for (; policy.mayTry(quick); calls += 1) policy.ended(quick, calls % 2 === 0 ? 4 : shortMs / 2);
  assert.ok(calls < 10, `${calls} calls`);
});

test("an instance that takes long to make is never made here, not even once for its image", () => {
  const dear = deployment({ newUs: 2_001, resetUs: 2 });
  const policy = new InlinePolicy();
  for (let count = 0; count < 10_000; count += 1) policy.onThread(dear, 0.01);
  assert.equal(policy.mayTry(dear), false);
});

test("good calls make up for what went wrong, and absence has an end", () => {
  const policy = new InlinePolicy();
  const tries = (): number => {
    policy.gaveUp(quick);
    let seen = 0;
    for (; !policy.mayTry(quick); seen += 1) policy.onThread(quick, shortMs);
    return seen;
  };
  for (let count = 0; count < 20; count += 1) tries();
  assert.equal(tries(), 4_096);
  for (let count = 0; count < 100_000; count += 1) policy.ended(quick, shortMs);
  assert.equal(tries(), 2);
});

test("versions are told apart, and ten thousand of them are no end of it", () => {
  const policy = new InlinePolicy();
  policy.gaveUp(quick);
  assert.equal(policy.mayTry({ ...quick, configRevision: 2 }), true, "another configuration begins anew");
  for (let id = 2; id < 20_002; id += 1) assert.equal(policy.mayTry({ ...quick, id }), true);
});
