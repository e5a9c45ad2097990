import assert from "node:assert/strict";
import { test } from "node:test";
import { FairQueue } from "../../host/invoke/fair-queue.ts";
import type { PoolCall } from "../../host/invoke/pool.ts";

const call = (functionName: string): PoolCall => ({ functionName }) as PoolCall;
const names = (calls: Iterable<PoolCall>): string =>
  [...calls].map(({ functionName }) => functionName).join("");

test("functions take turns, and within one the oldest goes first", () => {
  const queue = new FairQueue();
  const calls = [..."aaabbc"].map(call);
  for (const each of calls) queue.add(each);
  const taken: PoolCall[] = [];
  queue.offer((each) => taken.push(each) > 0, 10);
  assert.equal(names(taken), "abcaba");
  assert.deepEqual(
    taken.filter(({ functionName }) => functionName === "a"),
    calls.slice(0, 3),
  );
  assert.deepEqual([queue.size, queue.functions], [0, 0]);
});

test("one that is refused stays the first of its function", () => {
  const queue = new FairQueue();
  const calls = [..."aab"].map(call);
  for (const each of calls) queue.add(each);
  const taken: PoolCall[] = [];
  queue.offer((each) => each.functionName === "b" && taken.push(each) > 0, 10);
  assert.equal(names(taken), "b");
  assert.equal(queue.size, 2);
  queue.offer((each) => taken.push(each) > 0, 10);
  assert.deepEqual(taken, [calls[2], calls[0], calls[1]]);
});

test("no more refusals in a row are borne than were asked for, and the next offer goes on from there", () => {
  const queue = new FairQueue();
  for (const name of "abcdef") queue.add(call(name));
  const offered: PoolCall[] = [];
  const refuse = (each: PoolCall): boolean => {
    offered.push(each);
    return false;
  };
  queue.offer(refuse, 2);
  queue.offer(refuse, 2);
  assert.equal(names(offered), "abcd");
});

test("a call that leaves is out, and its function with it when it was the last", () => {
  const queue = new FairQueue();
  const [one, two] = [call("a"), call("a")];
  queue.add(one);
  queue.add(two);
  assert.equal(queue.delete(one), true);
  assert.equal(queue.delete(one), false);
  assert.deepEqual([...queue], [two]);
  assert.equal(queue.delete(two), true);
  assert.deepEqual([queue.size, queue.functions], [0, 0]);
  queue.add(one);
  queue.clear();
  assert.deepEqual([[...queue], queue.size], [[], 0]);
});
