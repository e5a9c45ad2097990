// `mayfly usage`, `mayfly top` and `mayfly invocations list --outcome` against a host.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { rateCardSchema } from "../../host/rate-card.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, order, puppet } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli, startCli } from "./run-cli.ts";

const rates = rateCardSchema.parse({ currency: "EUR", perMillionCalls: "0.25" });
const host = await TestHost.start({ rates });
after(() => host.close());
await host.deploy("hello", answering("hello"));
await host.deploy("idle", answering("idle"));
await host.deploy("puppet", puppet());
for (let call = 0; call < 4; call += 1) await host.call("hello");
await host.call("puppet", { body: order("trap") });

const run = (...argv: string[]) => cli([...argv, "--url", host.host.url]);

test("usage prints a line for each function, idle ones with 0, what it costs, and a sum", async () => {
  const { stdout, exitCode, stderr } = await run("usage");
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /^FUNCTION +CALLS +FAILED +CPU .* EUR$/m);
  assert.match(stdout, /^hello +4 +0 .* 0\.000001$/m);
  assert.match(stdout, /^idle +0 +0 .* 0$/m);
  assert.match(stdout, /^puppet +1 +1 .*$/m);
  assert.match(stdout, /^TOTAL +5 +1 .* 0\.00000125$/m);
});

test("usage takes keys and times, and prints JSON or CSV", async () => {
  const json = await run("usage", "hello", "--by", "version,day", "--last", "2d", "--json");
  const report = JSON.parse(json.stdout) as { rows: { version: number; calls: number }[] };
  assert.deepEqual(
    report.rows.map(({ version, calls }) => [version, calls]),
    [[1, 4]],
  );
  const csv = await run("usage", "hello", "--csv", "--from", "2020-01-01");
  assert.match(csv.stdout, /^function,ok,calls,.*\r\nhello,4,4,/);
});

test("usage refuses what is no time and no key, before it asks and after", async () => {
  assert.equal((await run("usage", "--last", "soon")).exitCode, 2);
  assert.equal((await run("usage", "--last", "1d", "--from", "2026-01-01")).exitCode, 2);
  const wrong = await run("usage", "--by", "colour");
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.stderr, /by names "colour"/);
});

test("invocations list --outcome prints calls that ended lately", async () => {
  const { stdout } = await run("invocations", "list", "--outcome", "failed");
  assert.match(stdout, /^ENDED +ID +KIND +FUNCTION +OUTCOME/m);
  assert.match(stdout, / http +puppet@1 +guest_trapped +502 /);
  assert.doesNotMatch(stdout, /hello/);
  assert.equal((await run("invocations", "list", "--outcome", "ok", "--state", "failed")).exitCode, 2);
});

test("top prints a line of JSON for each look, and a table into a pipe", async () => {
  const json = await run("top", "--json", "--interval", "0.1", "--count", "2");
  assert.equal(json.exitCode, 0, json.stderr);
  const lines = json.stdout.trim().split("\n");
  assert.equal(lines.length, 2);
  for (const line of lines) assert.ok((JSON.parse(line) as { seconds: number }).seconds >= 0.1);
  const table = await run("top", "--interval", "0.1", "--count", "1");
  assert.match(table.stdout, /^\d+ calls live/);
  assert.match(table.stdout, /^FUNCTION +CALLS\/S +ERRORS +P50 +P99 +CPU +MEMORY$/m);
  assert.ok(!table.stdout.includes("\u001b"));
});

test("top has the terminal for itself and gives it back, when it is interrupted and when the host is gone", async () => {
  await using top = startCli(["top", "--interval", "0.1", "--url", host.host.url], { terminal: true });
  await until(() => top.stdout().includes("FUNCTION"), 20_000);
  top.interrupt();
  const { exitCode, stdout } = await top.done;
  assert.equal(exitCode, 0);
  assert.ok(stdout.startsWith("\u001b[?1049h\u001b[?25l"));
  assert.ok(stdout.endsWith("\u001b[?25h\u001b[?1049l"));
  const gone = await cli(["top", "--url", "http://127.0.0.1:1"], { terminal: true });
  assert.equal(gone.exitCode, 1);
  assert.ok(gone.stdout.endsWith("\u001b[?25h\u001b[?1049l"));
});

test("top refuses what is no number", async () => {
  for (const argv of [
    ["--interval", "0"],
    ["--interval", "x"],
    ["--limit", "0"],
    ["--count", "-1"],
  ]) {
    assert.equal((await run("top", ...argv)).exitCode, 2, argv.join(" "));
  }
});
