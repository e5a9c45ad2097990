import assert from "node:assert/strict";
import { test } from "node:test";
import { type ScaleInput, scale } from "../../host/invoke/autoscaler.ts";

const rows: readonly (readonly [name: string, input: Partial<ScaleInput>, threads: number])[] = [
  ["an idle host has its minimum", {}, 1],
  ["none when the minimum is none", { minThreads: 0 }, 0],
  ["the first call of a host without threads starts one and a spare", { minThreads: 0, waiting: 1 }, 2],
  ["one works: one is kept ready", { threads: 1, busy: 1 }, 2],
  ["two work: one is kept ready", { threads: 2, busy: 2 }, 3],
  ["calls wait: as many threads as can help", { threads: 3, busy: 3, waiting: 100 }, 8],
  ["never more than the maximum", { threads: 8, busy: 8, waiting: 5 }, 8],
  ["idle threads stay for a while", { threads: 6, busy: 1 }, 6],
  ["and go when they have been idle for long", { threads: 6, busy: 1, idleLong: 4 }, 2],
  ["but for the spare one while one works", { threads: 3, busy: 1, idleLong: 2 }, 2],
  ["all but the minimum go when nothing works", { threads: 6, idleLong: 6 }, 1],
  ["all of them when the minimum is none", { threads: 2, idleLong: 2, minThreads: 0 }, 0],
  ["a minimum above what is needed holds", { threads: 4, idleLong: 4, minThreads: 4 }, 4],
];

for (const [name, input, threads] of rows) {
  test(`scale: ${name}`, () => {
    const base: ScaleInput = { threads: 0, busy: 0, idleLong: 0, waiting: 0, minThreads: 1, maxThreads: 8 };
    assert.equal(scale({ ...base, ...input }), threads);
  });
}
