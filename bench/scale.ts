// From nothing to many calls at once that need a CPU each, and back: how many threads there are at each
// moment, how soon, and that an idle host has none.

import { setTimeout as sleep } from "node:timers/promises";
import { deploy, gauge, startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const calls = Number(process.env["CALLS"] ?? 200);
const maxWorkers = Number(process.env["MAX_WORKERS"] ?? 8);
/** Beyond `threadIdleMs`, after which a thread with nothing to run ends. */
const restMs = 45_000;

await using mayfly = await startMayfly(0, ["--min-workers", "0", "--max-workers", String(maxWorkers)]);
const spin = `import { Request, Response } from "mayfly";
  export function handle(req: Request): Response {
    let n: u32 = 1;
    for (let i = 0; i < 30_000_000; i++) n = n * 1664525 + 1013904223;
    return Response.text(n.toString());
  }`;
await deploy(mayfly, "spin", spin, { cpuMs: 60_000, timeoutMs: 600_000, concurrency: calls });
const threadsIdle = await gauge(mayfly, "mayfly_threads");

const startMs = performance.now();
const seen: { readonly atMs: number; readonly threads: number }[] = [];
let watching = true;
const watched = (async () => {
  while (watching) {
    seen.push({ atMs: performance.now() - startMs, threads: await gauge(mayfly, "mayfly_threads") });
    await sleep(50);
  }
})();
const times = await Promise.all(
  Array.from({ length: calls }, async () => {
    const answer = await fetch(`${mayfly.url}/fn/spin`);
    if (answer.status !== 200 || (await answer.text()) === "") throw new Error(`spin: ${answer.status}`);
    return performance.now() - startMs;
  }),
);
const endMs = performance.now() - startMs;
await sleep(restMs);
watching = false;
await watched;

const most = Math.max(...seen.map(({ threads }) => threads));
const mostAt = seen.find(({ threads }) => threads === most);
const last = seen.at(-1);
const backAt = seen.findLast(({ threads }) => threads > (last?.threads ?? 0));
print(`${calls} calls at once that need a CPU, none before and none after, at most ${maxWorkers} threads`, [
  {
    server: "Mayfly",
    "threads before": threadsIdle,
    "most threads": most,
    "reached after ms": Math.round(mostAt?.atMs ?? 0),
    "first answer ms": Math.round(percentile(times, 0)),
    "all answered ms": Math.round(endMs),
    "threads after": last?.threads ?? 0,
    "back after idle s": (((backAt?.atMs ?? endMs) - endMs) / 1000).toFixed(0),
  },
]);
