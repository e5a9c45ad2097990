// Bounds that are held and given back: the memory of request bodies, and places for uploads.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { BodyBudget } from "../../host/http/invoke-routes.ts";
import { Semaphore } from "../../host/http/semaphore.ts";

test("BodyBudget gives out its bytes, is overloaded beyond them, and takes them back", () => {
  const budget = new BodyBudget(10);
  const held = budget.hold(6);
  budget.hold(4)[Symbol.dispose]();
  assert.throws(
    () => budget.hold(5),
    (error) => error instanceof HostError && error.code === "overloaded" && error.retryAfterS === 1,
  );
  held[Symbol.dispose]();
  budget.hold(10);
});

test("Semaphore lets in as many as it has places, the others in turn", async () => {
  const semaphore = new Semaphore(2);
  const order: number[] = [];
  const [one, two] = [await semaphore.take(), await semaphore.take()];
  const takeAs = async (number: number): Promise<Disposable> => {
    const place = await semaphore.take();
    order.push(number);
    return place;
  };
  const three = takeAs(3);
  const four = takeAs(4);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, []);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  (await three)[Symbol.dispose]();
  assert.deepEqual(order, [3]);
  (await four)[Symbol.dispose]();
  two[Symbol.dispose]();
  assert.deepEqual(order, [3, 4]);
});
