import assert from "node:assert/strict";
import { test } from "node:test";
import { boundsMs, bucketOf, CallSeries } from "../../host/observe/call-series.ts";
import { otherFunctions, Traffic } from "../../host/observe/traffic.ts";
import { quantileMs, TrafficWatch } from "../../host/observe/traffic-watch.ts";
import { deploymentOf, endedCall } from "./ended.ts";

function call(traffic: Traffic, name: string, times = 1): void {
  const deployment = deploymentOf(name);
  for (let time = 0; time < times; time += 1) traffic.count(traffic.of(name), endedCall({ deployment }));
}

const calls = (traffic: Traffic): Record<string, number> =>
  Object.fromEntries([...traffic.lines()].map(([name, line]) => [name, line.calls]));

test("a time is in the first bucket whose bound it does not exceed", () => {
  for (const [index, boundMs] of boundsMs.entries()) {
    assert.equal(bucketOf(boundMs), index);
    assert.equal(bucketOf(boundMs * 1.0001), index + 1);
  }
  assert.equal(bucketOf(0), 0);
  assert.equal(bucketOf(Number.POSITIVE_INFINITY), boundsMs.length);
});

test("as many functions as there are lines have one, the rest share that of the others", () => {
  const traffic = new Traffic(2);
  call(traffic, "a", 3);
  call(traffic, "b", 2);
  call(traffic, "c", 1);
  call(traffic, "d", 1);
  assert.deepEqual(calls(traffic), { a: 3, b: 2, [otherFunctions]: 2 });
});

test("a function that is much busier takes the line of one that is not, and no sum shrinks", () => {
  const traffic = new Traffic(1);
  call(traffic, "quiet", 10);
  call(traffic, "busy", 5);
  let before: Record<string, number> = calls(traffic);
  assert.deepEqual(before, { quiet: 10, [otherFunctions]: 5 });
  for (let round = 0; round < 20; round += 1) {
    call(traffic, "quiet", round % 3);
    call(traffic, "busy", 10 + round);
    const now = calls(traffic);
    for (const [name, count] of Object.entries(now))
      assert.ok(count >= (new Map(Object.entries(before)).get(name) ?? 0), name);
    before = now;
  }
  assert.ok("busy" in before && !("quiet" in before));
});

test("two functions that are alike do not change places for ever", () => {
  const traffic = new Traffic(1);
  call(traffic, "one", 10);
  call(traffic, "two", 10);
  calls(traffic);
  for (let round = 0; round < 10; round += 1) {
    call(traffic, "one", 10);
    call(traffic, "two", 15);
    assert.ok("one" in calls(traffic));
  }
});

test("a function that is removed has no line, and what it still does is counted with the others", () => {
  const traffic = new Traffic(1);
  call(traffic, "gone", 2);
  const held = traffic.of("gone");
  traffic.remove("gone");
  traffic.count(held, endedCall());
  assert.deepEqual(calls(traffic), { [otherFunctions]: 1 });
  call(traffic, "next");
  assert.deepEqual(calls(traffic), { next: 1, [otherFunctions]: 1 });
});

test("a watch sees what came since it began, the busiest functions first", () => {
  const traffic = new Traffic();
  call(traffic, "a", 100);
  const watch = new TrafficWatch(traffic);
  call(traffic, "a", 2);
  call(traffic, "b", 5);
  call(traffic, "c", 1);
  traffic.count(null, endedCall({ deployment: null, outcome: "function_not_found" }));
  const { total, functions } = watch.since(2);
  assert.deepEqual(
    functions.map((line) => [line.function, line.series.calls]),
    [
      ["b", 5],
      ["a", 2],
    ],
  );
  assert.equal(total.series.calls, 9);
  assert.equal(total.series.caller, 1);
});

test("quantiles are within the bucket in which they are", () => {
  const series = new CallSeries();
  assert.equal(quantileMs(series, 0.5), null);
  for (let index = 0; index < 98; index += 1) series.add(endedCall({ wallMs: 1.2 }), bucketOf(1.2));
  for (let index = 0; index < 2; index += 1) series.add(endedCall({ wallMs: 80 }), bucketOf(80));
  const [p50, p99] = [quantileMs(series, 0.5) ?? 0, quantileMs(series, 0.99) ?? 0];
  assert.ok(p50 > 1 && p50 <= 1.5, `${p50}`);
  assert.ok(p99 > 70 && p99 <= 100, `${p99}`);
});
