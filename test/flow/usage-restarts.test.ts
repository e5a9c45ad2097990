// The promise: every call that was answered is in the usage once, across restarts by SIGTERM, and a `kill -9`
// costs its last second at most, and leaves a gap. A sample; `npm run soak` makes 100,000 calls.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
const calls = soak ? 100_000 : 1_500;
const functions = soak ? 50 : 10;
const restarts = soak ? 5 : 2;
const clients = 8;

type Usage = {
  readonly rows: {
    readonly function: string;
    readonly calls: number;
    readonly outcomes: Record<string, number>;
  }[];
  readonly total: { readonly calls: number; readonly hostCalls: number };
  readonly gaps: { readonly from: string; readonly to: string }[];
};

async function usageOf(url: string): Promise<Usage> {
  const answer = await fetch(`${url}/v1/usage`);
  assert.equal(answer.status, 200);
  return (await answer.json()) as Usage;
}

/** The answer's status; null when the connection ended without one. */
function call(agent: Agent, url: string, name: string): Promise<number | null> {
  return new Promise((resolve) => {
    const sent = request(`${url}/fn/${name}`, { agent }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", () => resolve(null));
    });
    sent.on("error", () => resolve(null));
    sent.end();
  });
}

test(`${calls} calls of ${functions} functions are in the usage, across ${restarts} restarts by SIGTERM`, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "mayfly-usage-"));
  /** Answers by function. */
  const answered = new Array<number>(functions).fill(0);
  let made = 0;
  for (let run = 0; run <= restarts; run += 1) {
    await using host = await SupervisedHost.start({ dataDir });
    if (run === 0) {
      for (const index of answered.keys()) {
        assert.equal((await host.deploy(`f-${index}`, answering(`f-${index}`))).status, 201);
      }
    }
    const agent = new Agent({ keepAlive: true });
    const until = Math.ceil((calls * (run + 1)) / (restarts + 1));
    // The last few of a run are under way when the signal comes.
    const client = async (): Promise<void> => {
      while (made < until) {
        const index = made % functions;
        made += 1;
        const status = await call(agent, host.url, `f-${index}`);
        assert.equal(status, 200);
        answered[index] = (answered[index] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    const last = Array.from({ length: clients }, async (_, index): Promise<void> => {
      if ((await call(agent, host.url, `f-${index}`)) === 200) answered[index] = (answered[index] ?? 0) + 1;
    });
    host.process.kill("SIGTERM");
    await Promise.all(last);
    assert.equal(await host.exit(), 0, host.output);
    agent.destroy();
  }
  await using host = await SupervisedHost.start({ dataDir });
  const { rows, total, gaps } = await usageOf(host.url);
  const counted = new Map(rows.map((row) => [row.function, row.outcomes["ok"] ?? 0]));
  for (const [index, count] of answered.entries())
    assert.equal(counted.get(`f-${index}`), count, `f-${index}`);
  const sum = answered.reduce((all, count) => all + count, 0);
  assert.ok(sum >= calls);
  assert.equal(total.hostCalls, total.calls);
  assert.deepEqual(gaps, []);
  host.process.kill("SIGTERM");
  await host.exit();
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
});

test("a kill of the host process loses no call that was older than a second, counts none twice, and leaves a gap", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("counted", answering("counted"));
  const agent = new Agent({ keepAlive: true });
  for (let index = 0; index < 20; index += 1) assert.equal(await call(agent, host.url, "counted"), 200);
  // As long as it may take: what was counted is on disk then, though nobody has asked.
  await new Promise((resolve) => setTimeout(resolve, limits.usageFlushMs + 500));
  for (let index = 0; index < 5; index += 1) assert.equal(await call(agent, host.url, "counted"), 200);
  await host.killHost();
  agent.destroy();
  const { rows, gaps } = await usageOf(host.url);
  const count = rows[0]?.calls ?? 0;
  assert.ok(count >= 20 && count <= 25, `${count} calls`);
  assert.equal(gaps.length, 1);
  const [gap] = gaps;
  assert.ok(gap !== undefined && gap.from < gap.to);
  await until(
    () => /usage of up to its last second may be missing/.test(host.output),
    5_000,
    () => host.output,
  );
});
