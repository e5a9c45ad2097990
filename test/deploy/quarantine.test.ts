import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeCrash } from "../../host/deploy/quarantine.ts";

const judge = (running: number[], suspects: number[] = [], crashes: Record<number, number> = {}) =>
  judgeCrash({
    running,
    suspects: new Set(suspects),
    crashesAsOnlySuspect: (id) => crashes[id] ?? 0,
    crashesMax: 3,
  });

const cases = [
  {
    name: "nobody when nothing ran",
    verdict: judge([]),
    want: { suspects: [], only: null, quarantine: false },
  },
  {
    name: "the one that ran alone",
    verdict: judge([7]),
    want: { suspects: [7], only: 7, quarantine: false },
  },
  {
    name: "all that ran together, none of them alone",
    verdict: judge([7, 8]),
    want: { suspects: [7, 8], only: null, quarantine: false },
  },
  {
    name: "the former suspect, not those that ran beside it",
    verdict: judge([7, 9], [7, 8]),
    want: { suspects: [7], only: 7, quarantine: false },
  },
  {
    name: "those that ran, when no former suspect did",
    verdict: judge([9], [7, 8]),
    want: { suspects: [9], only: 9, quarantine: false },
  },
  {
    name: "and does not quarantine at the second crash",
    verdict: judge([7], [7], { 7: 1 }),
    want: { suspects: [7], only: 7, quarantine: false },
  },
  {
    name: "and quarantines at the third crash as the only suspect",
    verdict: judge([7], [7], { 7: 2 }),
    want: { suspects: [7], only: 7, quarantine: true },
  },
  {
    name: "and quarantines nobody who was not alone",
    verdict: judge([7, 8], [], { 7: 2, 8: 2 }),
    want: { suspects: [7, 8], only: null, quarantine: false },
  },
];

for (const { name, verdict, want } of cases) {
  test(`judgeCrash blames ${name}`, () => assert.deepEqual(verdict, want));
}
