// Many functions on one host: what they take while nobody calls them, what it takes to have called each
// once, and whether the first call of one is slower for the others being there. Most are stored before
// the host starts; as many as it keeps compiled before they are called, and some more, are deployed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../host/limits.ts";
import { deployCopies, gauge, helloModule, type Server, serve, storeCopies } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const functions = Number(process.env["FUNCTIONS"] ?? 10_000);
const sample = 10;

const stored = Number(process.env["STORED"] ?? Math.max(0, functions - limits.modulesWarmMax - 100));

const wasm = await helloModule();
const data = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
const start = (): Promise<Server> => serve(data, ["--min-workers", "2", "--max-workers", "2"]);

const before = await start();
const empty = await settled(before);
const first = sample + 1;
await deployCopies(before, wasm, 0, first);
const few = await firstCalls(before, 0, first);
await before[Symbol.asyncDispose]();
await storeCopies(data, wasm, first, stored);
const mayfly = await start();
await deployCopies(mayfly, wasm, stored, functions);
const idle = await settled(mayfly);
// Those deployed last are what a host has still in hand; the rest has been let go and is read again.
const many = await firstCalls(mayfly, functions - first, functions);
await firstCalls(mayfly, 0, functions - first);
const called = await settled(mayfly);
await mayfly[Symbol.asyncDispose]();
await rm(data, { recursive: true, force: true });

const p50 = (times: readonly number[]): number => percentile(times.slice(1), 50);
print(`${functions} functions on one host, two threads`, [
  {
    server: "Mayfly",
    "RSS empty MB": Math.round(empty),
    "idle, above empty MB": Math.round(idle - empty),
    "each called once MB": Math.round(called),
    [`first call p50 ms, of ${sample}`]: p50(few).toFixed(2),
    [`of ${functions}`]: p50(many).toFixed(2),
    ratio: (p50(many) / p50(few)).toFixed(2),
  },
]);

/** The first call of each, one after the other, ms. */
async function firstCalls(server: Server, first: number, end: number): Promise<number[]> {
  const times: number[] = [];
  for (let copy = first; copy < end; copy += 1) {
    const startMs = performance.now();
    const answer = await fetch(`${server.url}/fn/hello-${copy}?name=Ada`);
    const text = await answer.text();
    times.push(performance.now() - startMs);
    if (text !== "Hello, Ada!") throw new Error(`hello-${copy}: ${answer.status} ${text}`);
  }
  return times;
}

/** The host's resident memory once garbage has been collected, MB: the least of some readings. */
async function settled(server: Server): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 10; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    least = Math.min(least, await gauge(server, "mayfly_resident_memory_bytes"));
  }
  return least / 2 ** 20;
}
