// docs/benchmarks.md and its plots, from samples whose ratios are worked out by hand.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { document } from "../../bench/peers/document.ts";
import { dotPlot } from "../../bench/peers/dot-plot.ts";
import { plots } from "../../bench/peers/plots.ts";
import type { Measured, Report, Samples } from "../../bench/peers/report.ts";
import { ratioOf, short, spreadOf } from "../../bench/peers/spread.ts";
import { standingOf, verdictsOf } from "../../bench/peers/verdict.ts";

const samples = (callsPerSecond: number[], coldP50Ms: number[]): Samples => ({
  callsPerSecond,
  warmP50Ms: callsPerSecond.map((calls) => 1_000 / calls),
  warmP99Ms: callsPerSecond.map((calls) => 2_000 / calls),
  coldP50Ms,
  coldMs: coldP50Ms,
});

const row = (name: string, newPerCall: string | null, taken: Samples): Measured => ({
  peer: { name, newPerCall, firstCall: "compiles", doesWithout: "has no limits" },
  version: "1.2.3",
  samples: taken,
});

const report: Report = {
  date: "2030-01-02",
  machine: { cpu: "A processor", cores: 2, memoryGiB: 8, system: "linux-x64, kernel 6.1" },
  settings: {
    rounds: 3,
    connections: 32,
    warmUpSeconds: 1,
    loadSeconds: 3,
    warmCallsMax: 1_000,
    warmMsMax: 1_000,
    coldCalls: 20,
  },
  measured: [
    row("Mayfly", "instance", samples([1_000, 1_100, 1_050], [1, 1, 1])),
    row("Mayfly, restarted host", "instance", samples([], [3, 3, 3])),
    row("bare", null, samples([4_000, 4_000, 4_000], [0.5, 0.5, 0.5])),
    row("slow", "process", samples([100, 100, 100], [40, 50, 45])),
    row("alike", "thread", samples([1_000, 1_200, 1_050], [2, 1, 0.5])),
    row("fast", "plugin", samples([2_000, 2_200, 2_100], [0.5, 0.5, 0.25])),
  ],
  notMeasured: [
    {
      peer: { name: "absent", newPerCall: "isolate", firstCall: "loads", doesWithout: "has no limits" },
      reason: "there is no `absent` on the path",
    },
  ],
};

test("a spread is the median with the least and the most, and a ratio is formed round by round", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(ratioOf([2, 9, 8], [1, 3, 2]), { median: 3, least: 2, most: 4 });
});

test("figures have the digits that say something", () => {
  const table: [number, string][] = [
    [17_234, "17,200"],
    [999.6, "1000"],
    [123.4, "123"],
    [12.34, "12.3"],
    [2.001, "2"],
    [0.1234, "0.12"],
    [Number.NaN, "–"],
  ];
  for (const [value, text] of table) assert.equal(short(value), text);
});

test("Mayfly leads, or is behind, when it does in every round", () => {
  assert.equal(standingOf({ median: 2, least: 1.1, most: 3 }), "leads");
  assert.equal(standingOf({ median: 2, least: 0.9, most: 3 }), "level");
  assert.equal(standingOf({ median: 0.5, least: 0.4, most: 0.9 }), "behind");
});

test("verdicts are on the peers that isolate each call, and on nobody else", () => {
  assert.deepEqual(
    verdictsOf(report).map(({ peer, measure, standing, ratio }) => [peer, measure, standing, ratio.median]),
    [
      ["slow", "throughput", "leads", 10.5],
      ["slow", "first calls", "leads", 45],
      ["slow", "first calls, nothing compiled", "leads", 15],
      ["alike", "throughput", "level", 1],
      ["alike", "first calls", "level", 1],
      ["alike", "first calls, nothing compiled", "behind", 1 / 3],
      ["fast", "throughput", "behind", 0.5],
      ["fast", "first calls", "behind", 0.5],
      ["fast", "first calls, nothing compiled", "behind", 0.5 / 3],
    ],
  );
  assert.deepEqual(verdictsOf({ ...report, measured: report.measured.slice(1) }), []);
});

test("the document has the machine, a row for every peer, its verdicts and its plots", () => {
  const text = document(report);
  for (const expected of [
    "| machine                | A processor, 2 cores, 8 GiB",
    "| date                   | 2030-01-02",
    "| slow                   | 1.2.3",
    "Mayfly leads 1 of the 3 peers that isolate each call:",
    "- slow: Mayfly is 45 (40–50) times as good.",
    "- alike: no difference beyond the spread; Mayfly is 1 (0.92–1) times as good.",
    "- fast: **Mayfly does not lead**, the peer is 2 (2–4) times as good. Why: it has no limits.",
    "- fast: **Mayfly does not lead**, the peer is 6 (6–12) times as good.",
    "- absent: there is no `absent` on the path.",
  ]) {
    assert.ok(text.includes(expected), `${expected}\nis not in\n${text}`);
  }
  assert.match(text, /\| slow +\| process +\| 100 \(100–100\) +\| 10.5 \(10–11\) /);
  assert.match(text, /\| Mayfly, restarted host +\| instance +\| – +\| +\| – +\| – +\| 3 \(3–3\) /);
  assert.match(text, /\| absent +\| isolate +\| not measured /);
  for (const { file } of plots(report)) assert.ok(text.includes(`](benchmarks/${file})`));
  assert.doesNotMatch(text, /undefined|NaN|null/);
});

test("the document and the plots in the repository are those of the samples beside them", async () => {
  const docs = join(import.meta.dirname, "../../docs");
  const kept = JSON.parse(await readFile(join(docs, "benchmarks/samples.json"), "utf8")) as Report;
  assert.equal(await readFile(join(docs, "benchmarks.md"), "utf8"), document(kept));
  for (const { file, svg } of plots(kept)) {
    assert.equal(await readFile(join(docs, "benchmarks", file), "utf8"), svg);
  }
});

test("the document says when the machine was too noisy", () => {
  assert.doesNotMatch(document(report), /too noisy/);
  const noisy = report.measured.map((measured) => ({
    ...measured,
    samples: samples([1_000, 2_000, 3_000], [1, 1, 1]),
  }));
  assert.match(
    document({ ...report, measured: noisy }),
    /by 100 % at most\. \*\*This machine was too noisy\*\*/,
  );
});

test("a plot places values on a logarithmic axis and escapes its text", () => {
  const svg = dotPlot("A & B", "ms", [
    { label: "<one>", value: { median: 1, least: 1, most: 10 }, highlighted: true },
    { label: "two", value: { median: 10, least: 10, most: 100 }, highlighted: false },
  ]);
  const dots = [...svg.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));
  const [one = 0, two = 0] = dots;
  assert.equal(dots.length, 2);
  // Two decades, from 290 to 770: the first dot at their start, the second in the middle.
  assert.deepEqual([one, two], [290, 530]);
  assert.ok(svg.includes("A &amp; B") && svg.includes("&lt;one>"));
  assert.doesNotMatch(svg, /NaN|undefined/);
});

test("plots leave out what was not measured, and put the best on top", () => {
  const [throughput, , coldStart] = plots(report);
  const labels = (svg = "") =>
    [...svg.matchAll(/text-anchor="end">([a-zA-Z ,]+)</g)].map(([, label]) => label);
  assert.deepEqual(labels(throughput?.svg), ["bare", "fast", "Mayfly", "alike", "slow"]);
  assert.deepEqual(labels(coldStart?.svg).at(-1), "slow");
  assert.equal(labels(coldStart?.svg).length, 6);
});
