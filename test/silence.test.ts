// How the supervisor tells a process that is at a standstill from one that has not had its turn.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { processorWaitMs, Silence } from "../host/silence.ts";

const timeoutMs = 50;

/** What it found each time it looked, until it called the process silent. */
function looksUntilSilent(waits: readonly number[]): Promise<number> {
  let looks = 0;
  return new Promise((resolve) => {
    new Silence({
      timeoutMs,
      waitedMs: () => waits[Math.min(looks++, waits.length - 1)] as number,
      onSilent: () => resolve(looks),
    });
  });
}

test("a process that had its turns and said nothing is silent at the first look", async () => {
  assert.equal(await looksUntilSilent([7_000, 7_000]), 2);
});

test("a process that waited for a processor has as much time more, until it waits no longer", async () => {
  assert.equal(await looksUntilSilent([7_000, 7_150, 7_300, 7_300]), 4);
});

test("one that waits for ever is silent in the end", async () => {
  const waits = Array.from({ length: 100 }, (_, index) => index * 150);
  const looks = await looksUntilSilent(waits);
  assert.ok(looks < 8, `${looks} looks`);
});

test("a sign of life ends the wait", async () => {
  let silent = false;
  const silence = new Silence({
    timeoutMs,
    waitedMs: () => 0,
    onSilent: () => {
      silent = true;
    },
  });
  silence[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 3 * timeoutMs));
  assert.equal(silent, false);
});

test("the time for which a process has waited is told where the system tells it, and is none elsewhere", () => {
  const ms = processorWaitMs(process.pid);
  assert.ok(Number.isFinite(ms) && ms >= 0);
  if (process.platform === "linux") assert.ok(processorWaitMs(1) >= 0);
  assert.equal(processorWaitMs(undefined), 0);
});
