// Bounds that are held and given back: the memory of request bodies, and places for uploads.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { Semaphore } from "../../host/http/semaphore.ts";

test("BodyBudget gives out its bytes as they come, is overloaded beyond them, and takes them back", () => {
  const budget = new BodyBudget(10);
  const [one, other] = [budget.share(), budget.share()];
  one.add(4);
  one.add(2);
  other.add(4);
  assert.throws(
    () => other.add(1),
    (error) => error instanceof HostError && error.code === "overloaded" && error.retryAfterS === 1,
  );
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  one.add(4);
  assert.throws(() => other.add(1), HostError);
  one[Symbol.dispose]();
  budget.share().add(10);
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
