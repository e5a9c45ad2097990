// Events: how long after its publication a function starts, how many a second become durable, and what a
// thousand schedules cost a host that has nothing to do.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import autocannon from "autocannon";
import { compileFunction } from "../host/build/compile.ts";
import { limits } from "../host/limits.ts";
import { hostPid, type Server, startMayfly, upload } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const perSecond = Number(process.env["RATE"] ?? 200);
const seconds = Number(process.env["SECONDS"] ?? 10);
const schedules = 1_000;
const connections = 32;
/** Of a tick of the kernel's clock in /proc (sysconf _SC_CLK_TCK), ms. */
const tickMs = 10;

await using mayfly = await startMayfly(0);
const file = join(import.meta.dirname, "functions/started.as.ts");
await upload(mayfly, "started", (await compileFunction({ file })).wasm);

const idleShare = await idle(mayfly);
const latencies = await startLatencies(mayfly);
const published = await durable(mayfly);

print(
  `events: ${perSecond} a second for ${seconds} s, then ${connections} publishers, then ${schedules} schedules`,
  [
    { server: "publication to start of the function, p50 ms", measured: percentile(latencies, 50) },
    { server: "the same, p99 ms", measured: percentile(latencies, 99) },
    { server: "samples", measured: latencies.length },
    { server: "durable events a second", measured: Math.round(published) },
    {
      server: `idle with ${schedules} schedules, share of a core`,
      measured: `${(idleShare * 100).toFixed(2)} %`,
    },
  ],
);

/** CPU of the host process while nothing happens, beside one core's. */
async function idle(server: Server): Promise<number> {
  for (let index = 0; index < schedules; index += 1) {
    const name = `started-${Math.floor(index / limits.triggersPerFunctionMax)}`;
    if (index % limits.triggersPerFunctionMax === 0) {
      await upload(server, name, (await compileFunction({ file })).wasm);
    }
    const cron = `${index % 60} ${index % 24} 1 1 *`;
    await putTrigger(server, name, `s${index}`, { kind: "schedule", cron });
  }
  await pause(3_000);
  const before = cpuMs(server);
  await pause(seconds * 1_000);
  return (cpuMs(server) - before) / (seconds * 1_000);
}

/** An open loop: what is late is late from its due time on. */
async function startLatencies(server: Server): Promise<number[]> {
  await putTrigger(server, "started", "t", { kind: "topic", topic: "started", concurrency: 100 });
  await publish(server, "started", "warm", Date.now());
  const count = perSecond * seconds;
  const sending: Promise<void>[] = [];
  const startMs = Date.now() + 100;
  for (let index = 0; index < count; index += 1) {
    const dueMs = startMs + (index * 1_000) / perSecond;
    await pause(Math.max(0, dueMs - Date.now()));
    sending.push(publish(server, "started", String(index), dueMs));
  }
  await Promise.all(sending);
  const samples: number[] = [];
  for (let cursor: string | null = ""; cursor !== null || samples.length < count; ) {
    const answer = await fetch(`${server.url}/v1/kv/started?limit=1000&cursor=${cursor ?? ""}`);
    const page = (await answer.json()) as { keys: { key: string }[]; cursor: string | null };
    if (cursor === null || cursor === "") samples.length = 0;
    for (const { key } of page.keys) {
      if (key === "warm") continue;
      samples.push(Number(await (await fetch(`${server.url}/v1/kv/started/${key}`)).text()));
    }
    cursor = page.cursor;
  }
  return samples;
}

/** A closed loop of publishers, each of one event at a time, into a trigger that is paused. */
async function durable(server: Server): Promise<number> {
  await putTrigger(server, "started", "held", { kind: "topic", topic: "held", paused: true });
  const result = await autocannon({
    url: `${server.url}/v1/topics/held`,
    method: "POST",
    connections,
    duration: seconds,
    headers: { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/bench", "ce-type": "t" },
    body: "{}",
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} answers were not 2xx`);
  return result.requests.total / result.duration;
}

async function publish(server: Server, topic: string, id: string, atMs: number): Promise<void> {
  const headers = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/bench", "ce-type": "t" };
  const answer = await fetch(`${server.url}/v1/topics/${topic}`, {
    method: "POST",
    headers,
    body: String(atMs),
  });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function putTrigger(server: Server, name: string, trigger: string, settings: object): Promise<void> {
  const path = `${server.url}/v1/functions/${name}/triggers/${trigger}`;
  const answer = await fetch(path, { method: "PUT", body: JSON.stringify(settings) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** CPU that the host process has had, ms. */
function cpuMs(server: Server): number {
  const stat = readFileSync(`/proc/${hostPid(server)}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}
