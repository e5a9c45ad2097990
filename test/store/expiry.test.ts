import assert from "node:assert/strict";
import { test } from "node:test";
import { Expiry } from "../../host/store/expiry.ts";

/** A store of times at which something expires. */
function storeOf(times: number[], onExpire: () => void = () => {}) {
  return {
    nextExpiryMs: () => (times.length === 0 ? null : Math.min(...times)),
    expire: async (max: number) => {
      onExpire();
      const due = times.filter((time) => time <= Date.now()).slice(0, max);
      for (const time of due) times.splice(times.indexOf(time), 1);
      return due.length;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!condition() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(condition());
}

test("Expiry removes what was due before it began, and what it is told of", async () => {
  const times = [Date.now() - 1_000, Date.now() + 60_000];
  const expiry = new Expiry(storeOf(times), assert.ifError);
  await until(() => times.length === 1);
  times.push(Date.now() + 20);
  expiry.noted(times.at(-1) ?? null);
  await until(() => times.length === 1);
  expiry.close();
});

test("Expiry removes more than one batch in a row, and asks nothing while nothing is due", async () => {
  const times = Array.from({ length: 2_500 }, () => Date.now() - 1);
  let asked = 0;
  const store = storeOf(times, () => {
    asked += 1;
  });
  const expiry = new Expiry(store, assert.ifError);
  await until(() => times.length === 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(asked, 3);
  expiry.close();
});

test("Expiry tells of a fault and goes on", async () => {
  const faults: unknown[] = [];
  const store = {
    nextExpiryMs: () => Date.now() - 1,
    expire: () => Promise.reject(new Error("no room")),
  };
  const expiry = new Expiry(store, (error) => faults.push(error));
  await until(() => faults.length === 1);
  expiry.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(faults.length, 1);
});
