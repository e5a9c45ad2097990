// GET /v1/usage: what calls used, told apart as asked, with what it costs; and what is no such question.

import { strict as assert } from "node:assert";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { rateCardSchema } from "../../host/rate-card.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, order, puppet } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const rates = rateCardSchema.parse({ currency: "EUR", perMillionCalls: "0.20", perGbOut: "0.09" });
const host = await TestHost.start({ rates });
after(() => host.close());

type Row = Record<string, unknown> & {
  readonly calls: number;
  readonly outcomes: Record<string, number>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly waitMs: number;
  readonly gbSeconds: number;
  readonly hostCalls: number;
  readonly cost: { readonly total: string; readonly calls: string };
};
type Report = {
  readonly from: string;
  readonly to: string;
  readonly rows: Row[];
  readonly total: Row;
  readonly gaps: unknown[];
};

async function usage(query: string): Promise<Report> {
  const answer = await host.ask("GET", `/v1/usage?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as Report;
}

test("each call counts, with what it used, at once and exactly", async () => {
  await host.deploy("counted", answering("hello"));
  for (let call = 0; call < 25; call += 1) {
    assert.equal((await host.call("counted", { body: "12345" })).status, 200);
  }
  const { rows, total, gaps } = await usage("function=counted");
  assert.equal(rows.length, 1);
  const [row] = rows;
  assert.ok(row);
  assert.equal(row["function"], "counted");
  assert.equal(row.calls, 25);
  assert.deepEqual(row.outcomes, { ok: 25 });
  assert.equal(row.bytesIn, 125);
  assert.equal(row.bytesOut, 125);
  assert.equal(row.hostCalls, 25);
  assert.ok(row.cpuMs > 0 && row.wallMs > row.cpuMs, JSON.stringify(row));
  assert.ok(row.gbSeconds > 0);
  assert.equal(row.waitMs, 0);
  assert.equal(row.cost.calls, "0.000005");
  assert.equal(total.calls, 25);
  assert.deepEqual(gaps, []);
});

test("a function that was not called has used nothing, and is shown with that", async () => {
  await host.deploy("idle", answering("hello"));
  const [row] = (await usage("function=idle")).rows;
  assert.deepEqual(row, {
    function: "idle",
    calls: 0,
    cpuMs: 0,
    wallMs: 0,
    waitMs: 0,
    gbSeconds: 0,
    bytesIn: 0,
    bytesOut: 0,
    hostCalls: 0,
    outcomes: {},
    cost: {
      calls: "0",
      cpu: "0",
      wall: "0",
      memory: "0",
      bytesIn: "0",
      bytesOut: "0",
      hostCalls: "0",
      total: "0",
    },
  });
  const all = (await usage("")).rows.filter((each) => each["function"] === "idle");
  assert.equal(all.length, 1);
});

test("sums are told apart by version, alias, namespace, outcome and time", async () => {
  await host.deploy("apart", answering("one"));
  await host.call("apart");
  await host.deploy("apart", answering("two"));
  await host.call("apart");
  await host.call("apart@1");
  const { rows } = await usage("function=apart&by=version,alias");
  assert.deepEqual(
    rows.map((row) => [row["function"], row["version"], row["alias"], row.calls]),
    [
      ["apart", 1, "", 1],
      ["apart", 1, "live", 1],
      ["apart", 2, "live", 1],
    ],
  );
  const [byTime] = (await usage("function=apart&by=namespace,month,day,hour,outcome")).rows;
  assert.equal(byTime?.["namespace"], "default");
  assert.equal(byTime["outcome"], "ok");
  assert.equal(byTime.calls, 3);
  assert.equal(byTime["day"], String(byTime["hour"]).slice(0, 10));
  assert.equal(byTime["month"], String(byTime["hour"]).slice(0, 7));
  assert.deepEqual((await usage("function=apart&namespace=other")).rows, []);
});

test("calls that fail count, by outcome, with what they used", async () => {
  await host.deploy("failing", puppet());
  const trap = await host.call("failing", { body: order("trap") });
  assert.equal(trap.status, 502, trap.text);
  const { rows } = await usage("function=failing&by=function,outcome");
  const failed = rows.find((row) => row["outcome"] === "guest_trapped");
  assert.equal(failed?.calls, 1);
  assert.ok(failed.cpuMs > 0);
});

test("a call that its client gives up counts, with what it had used", async () => {
  await host.configure("failing", { cpuMs: 60_000, timeoutMs: 60_000 });
  const body = order("loop");
  const client = await RawConnection.open(host.port);
  client.write(`POST /fn/failing HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`).write(body);
  // It runs once its thread has something to do for it.
  await until(async () => {
    const { host: now } = (await host.ask("GET", "/v1/traffic?seconds=0.1")).json() as {
      host: { liveCalls: number };
    };
    return now.liveCalls === 1;
  }, 20_000);
  client.socket.destroy();
  const gone = async () =>
    (await usage("function=failing&by=outcome")).rows.find((row) => row["outcome"] === "client_gone");
  await until(async () => (await gone())?.calls === 1, 20_000);
  assert.ok(((await gone())?.cpuMs ?? 0) > 0);
});

test("a host that is not called writes nothing", async () => {
  await usage("");
  const modified = (): number => statSync(join(host.dataDir, "mayfly.db-wal")).mtimeMs;
  const before = modified();
  await new Promise((resolve) => setTimeout(resolve, 3 * limits.usageFlushMs));
  assert.equal(modified(), before);
});

test("CSV has a row for each line and whole numbers as they are", async () => {
  for (const answer of [
    await host.ask("GET", "/v1/usage?function=counted&format=csv"),
    await host.ask("GET", "/v1/usage?function=counted", { headers: { accept: "text/csv" } }),
  ]) {
    assert.match(answer.header("content-type") ?? "", /^text\/csv/);
    const [head, row, rest] = answer.text.split("\r\n");
    assert.equal(
      head,
      "function,ok,calls,cpuMs,wallMs,waitMs,gbSeconds,bytesIn,bytesOut,hostCalls,cost,currency",
    );
    assert.match(row ?? "", /^counted,25,25,\d+(\.\d+)?,\d+(\.\d+)?,0,\d\.\d{9},125,125,25,0\.\d+,EUR$/);
    assert.equal(rest, "");
  }
});

test("hours are whole: a time within one is its beginning, or its end", async () => {
  const { from, to } = await usage("from=2026-01-01T10:20:30%2B02:00&to=2026-01-01T10:00:01Z");
  assert.equal(from, "2026-01-01T08:00:00.000Z");
  assert.equal(to, "2026-01-01T11:00:00.000Z");
});

test("what is no such question is refused with what is wanted", async () => {
  for (const [query, detail] of [
    ["from=yesterday", /from is "yesterday", want a day/],
    ["from=2026-13-01", /from is "2026-13-01"/],
    ["to=2026-01-01T00:00", /to is "2026-01-01T00:00"/],
    ["from=1969-12-31", /of 1970 or later/],
    ["from=2026-02-01&to=2026-01-01", /from is not before to/],
    ["from=2026-01-01&to=2026-01-01", /from is not before to/],
    ["by=colour", /by names "colour", want some of function/],
    ["format=xml", /format/],
    ["since=1", /since/],
    ["function=", /function/],
  ] as const) {
    const answer: Answer = await host.ask("GET", `/v1/usage?${query}`);
    assertProblem(answer, 400, "bad_request");
    assert.match((answer.json() as { detail: string }).detail, detail, query);
  }
});

test("a range of thousands of years is answered, and costs what there is in it", async () => {
  const { rows } = await usage("function=counted&from=1970-01-01&to=9999-12-31");
  assert.equal(rows[0]?.calls, 25);
});
