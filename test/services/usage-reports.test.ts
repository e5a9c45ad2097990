import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { limits } from "../../host/limits.ts";
import { type UsageQuery, UsageReports } from "../../host/services/usage-reports.ts";
import type { UsageColumn, UsageSum } from "../../host/store/usage-store.ts";
import { hourMs } from "../../host/usage.ts";

const figures = {
  calls: 1,
  cpuUs: 2,
  wallUs: 3,
  waitUs: 4,
  pageMs: 5,
  bytesIn: 6,
  bytesOut: 7,
  hostCalls: 8,
};

/** Reports over hours in each of which these sums are found. */
function reportsOf(
  sums: readonly UsageSum[],
  hours: readonly number[] = [0],
  functions: readonly string[] = [],
) {
  const columns: (readonly UsageColumn[])[] = [];
  const reports = new UsageReports({
    store: {
      hours: () => [...hours],
      ofHour: (_hourMs, asked) => {
        columns.push(asked);
        return [...sums];
      },
      gaps: () => [],
    },
    flush: async () => {},
    rates: null,
    functions: () => functions,
  });
  return { reports, columns };
}

const query: UsageQuery = { function: null, namespace: null, fromMs: 0, toMs: hourMs, by: ["function"] };

test("sums of several hours are one line, and outcomes are told apart in it", async () => {
  const sums = [
    { ...figures, function: "f", outcome: "ok" },
    { ...figures, function: "f", outcome: "guest_trapped" },
  ];
  const { reports } = reportsOf(sums, [0, hourMs, 2 * hourMs]);
  const { lines, total } = await reports.report(query);
  assert.deepEqual(
    lines.map(({ labels, figures: sum, outcomes }) => [labels, sum.calls, sum.hostCalls, outcomes]),
    [[{ function: "f" }, 6, 48, { ok: 3, guest_trapped: 3 }]],
  );
  assert.equal(total.figures.calls, 6);
});

test("a namespace is what follows the dot in a function's name", async () => {
  const sums = ["plain", "one.team", "two.team", "one.other"].map((name) => {
    return { ...figures, function: name, outcome: "ok" };
  });
  const { reports } = reportsOf(sums);
  const { lines } = await reports.report({ ...query, by: ["namespace"] });
  assert.deepEqual(
    lines.map(({ labels, figures: sum }) => [labels.namespace, sum.calls]),
    [
      ["default", 1],
      ["other", 1],
      ["team", 2],
    ],
  );
  const ofTeam = await reports.report({ ...query, namespace: "team" });
  assert.deepEqual(
    ofTeam.lines.map(({ labels }) => labels.function),
    ["one.team", "two.team"],
  );
  assert.equal(ofTeam.total.figures.calls, 2);
});

test("only what is asked for is told apart by the store", async () => {
  const { reports, columns } = reportsOf([]);
  await reports.report({ ...query, by: ["hour"] });
  await reports.report({ ...query, by: ["version", "alias"] });
  assert.deepEqual(columns, [["outcome"], ["outcome", "function", "version", "alias"]]);
});

test("a report of more rows than an answer may have is refused, with the way out", async () => {
  const sums = Array.from({ length: limits.usageAnswerRowsMax + 1 }, (_, index) => {
    return { ...figures, function: `f-${index}`, outcome: "ok" };
  });
  await assert.rejects(reportsOf(sums).reports.report(query), (error) => {
    assert.ok(error instanceof HostError);
    assert.equal(error.code, "bad_request");
    assert.match(error.message, /ask for less by from, to or function/);
    return true;
  });
  const { lines } = await reportsOf(sums.slice(1)).reports.report(query);
  assert.equal(lines.length, limits.usageAnswerRowsMax);
});

test("functions that were not called fill the rest of an answer, and refuse none", async () => {
  const sums = Array.from({ length: limits.usageAnswerRowsMax - 1 }, (_, index) => {
    return { ...figures, function: `f-${index}`, outcome: "ok" };
  });
  const { reports } = reportsOf(sums, [0], ["idle-1", "idle-2"]);
  const { lines } = await reports.report(query);
  assert.equal(lines.length, limits.usageAnswerRowsMax);
  assert.equal(lines.filter(({ figures: sum }) => sum.calls === 0).length, 1);
});
