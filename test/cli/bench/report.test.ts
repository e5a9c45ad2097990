// Holds the report's forms to what they promise: a page that needs nothing else and trusts no name, a
// table with the sampling error, words about noise, and a bar on a terminal alone.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { formatInterval, formatMs, formatValue } from "../../../host/cli/bench/format.ts";
import { machineWarnings } from "../../../host/cli/bench/noise.ts";
import { pageOf } from "../../../host/cli/bench/page/page.ts";
import { linearTicks, logTicks } from "../../../host/cli/bench/page/plot.ts";
import { createProgress, progressBar } from "../../../host/cli/bench/progress.ts";
import { Recorder } from "../../../host/cli/bench/recorder.ts";
import { type Report, recordedReport } from "../../../host/cli/bench/report.ts";
import { printReport } from "../../../host/cli/bench/report-text.ts";
import type { CliIo } from "../../../host/cli/io.ts";
import { createOutput } from "../../../host/cli/output.ts";

const name = `evil<script>alert(1)</script>"&'`;

function recorded(times: readonly number[]): Recorder {
  const recorder = new Recorder();
  recorder.series("process start").samples.push(400, 410, 420);
  const group = recorder.group(`First calls of ${name}`, ["compile"]);
  for (const ms of times) group.calls.push({ endToEndMs: ms, phases: { queue: 0.1, run: ms / 2 } });
  recorder.figure(() => ({ name: "memory", unit: "bytes", estimate: null, samples: 0, note: "not told" }));
  recorder.timeline.push(
    { atMs: 0, threads: 0, unanswered: 9, live: 5, waiting: 2 },
    { atMs: 50, threads: 2, unanswered: 0, live: 0, waiting: 0 },
  );
  return recorder;
}

function reportOf(recorder: Recorder, partial: string | null = null): Report {
  return {
    ...{ tool: "mayfly bench", command: "cold", functions: [name], startedAt: "2026-01-02T03:04:05.000Z" },
    ...{ seconds: 1.5, machine: { node: "Node 26" }, host: { url: "http://127.0.0.1:1", own: true } },
    ...{ settings: { copies: 3 }, partial, confidence: 0.95, ...recordedReport(recorder) },
  };
}

const times = Array.from({ length: 40 }, (_, index) => 1 + ((index * 7) % 40) / 40);

test("the page escapes every text, asks for nothing outside, and has its plots", () => {
  const page = pageOf(reportOf(recorded(times), "interrupted <now>"));
  assert.doesNotMatch(page, /<script|alert\(1\)<\/script>|<now>/);
  assert.doesNotMatch(page, /https?:\/\/(?!127\.0\.0\.1)|\bsrc=|@import|url\(|<link/);
  assert.equal(page.match(/<svg /g)?.length, 4);
  assert.match(page, /prefers-color-scheme: dark/);
  assert.match(page, /Partial: interrupted &lt;now&gt;/);
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

test("the page of calls that all took the same, and of none, is whole too", () => {
  for (const samples of [[2, 2, 2], [0], []]) {
    const page = pageOf(reportOf(recorded(samples)));
    assert.doesNotMatch(page, /NaN|Infinity|undefined/);
    assert.match(page, /<\/html>\n$/);
  }
});

test("the table has samples, percentiles and the error of the median, and marks a partial run", () => {
  const { io, stdout } = streams(false);
  printReport(reportOf(recorded(times), "interrupted after 1 s"), createOutput(io, false));
  const text = stdout();
  assert.match(text, /PARTIAL: interrupted after 1 s/);
  assert.match(text, /ms +SAMPLES +P50 +95 % OF P50 +P90 +P99 +MAX/);
  assert.match(text, /process start +3 +410 +– +420 +420 +420/);
  assert.match(text, /compile +0 +–/);
  assert.match(text, /end to end +40 +1.48 +1.\d\d to 1.\d\d +1.88 +1.98 +1.98/);
  assert.match(text, /memory +0 +not known +– +not told/);
});

test("a machine that did not hold still is said to be too noisy, one that did is not", () => {
  const warningsOf = (samples: readonly number[]): readonly string[] =>
    machineWarnings(recordedReport(recorded(samples)).sections);
  const still = Array.from({ length: 200 }, (_, index) => 10 + ((index * 37) % 100) / 100);
  assert.deepEqual(warningsOf(still), []);
  const changed = still.map((ms, index) => (index < 100 ? ms : 2 * ms));
  assert.match(warningsOf(changed)[0] ?? "", /too noisy/);
  const wide = Array.from({ length: 10 }, (_, index) => 1 + index);
  assert.match(
    warningsOf(wide)[0] ?? "",
    /samples are too few, for .*: the median of its 10 calls is known only to within \d+ %/,
  );
});

test("a bar is drawn on a terminal and nowhere else", () => {
  for (const terminal of [true, false]) {
    const { io, stderr } = streams(terminal);
    let nowMs = 0;
    const progress = createProgress(createOutput(io, false), () => nowMs);
    progress.step("calling", 4);
    nowMs = 50;
    progress.done(1);
    nowMs = 500;
    progress.done(2);
    progress.clear();
    assert.equal(stderr().includes("calling (2/4)"), terminal);
    assert.ok(!stderr().includes("(1/4)"), "it is not drawn again at once");
    assert.ok(terminal || stderr() === "");
  }
  assert.equal(progressBar(0.5), `[${"#".repeat(12)}${"·".repeat(12)}]`);
  assert.equal(progressBar(7), `[${"#".repeat(24)}]`);
});

test("figures have three digits and their unit", () => {
  assert.deepEqual([0, 0.01234, 1.234, 12.34, 1234].map(formatMs), ["0", "0.0123", "1.23", "12.3", "1234"]);
  assert.equal(formatInterval({ low: null, high: 2 }, formatMs), "up to 2.00");
  assert.equal(formatInterval({ low: 1, high: null }, formatMs), "1.00 or more");
  assert.equal(formatValue(-2_500, "bytes"), "-2.5 kB");
  assert.equal(formatValue(812, "calls/s"), "812/s");
});

test("ticks enclose what is drawn", () => {
  assert.deepEqual(linearTicks(9, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(logTicks(0.3, 4), [0.2, 0.5, 1, 2, 5]);
  assert.deepEqual(logTicks(1, 1), [1]);
});

/** Streams of a terminal, or of pipes, with what was written to them. */
function streams(terminal: boolean): { io: CliIo; stdout: () => string; stderr: () => string } {
  const written = (): [CliIo["stdout"], () => string] => {
    const stream = Object.assign(new PassThrough(), terminal ? { isTTY: true } : {});
    let text = "";
    stream.on("data", (chunk) => {
      text += chunk;
    });
    return [stream, () => text];
  };
  const [stdout, out] = written();
  const [stderr, err] = written();
  const io: CliIo = {
    ...{ stdin: new PassThrough(), stdout, stderr, env: { NO_COLOR: "1" }, cwd: "/" },
    interruption: () => new AbortController().signal,
  };
  return { io, stdout: out, stderr: err };
}
