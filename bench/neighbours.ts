// Short calls beside endless loops on the same threads: whether all are answered and how fast, against
// the same calls with nothing beside them; and how near to their CPU limit the loops end.

import { deploy, helloText, startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const loops = Number(process.env["LOOPS"] ?? 8);
const cpuMs = Number(process.env["CPU_MS"] ?? 1_000);
const calls = Number(process.env["CALLS"] ?? 2_000);

await using mayfly = await startMayfly(1, ["--min-workers", "2", "--max-workers", "2"]);
const loop = `import { Request, Response } from "mayfly";
  export function handle(req: Request): Response { let n = 0; while (true) n += 1; return Response.text(""); }`;
await deploy(mayfly, "loop", loop, { cpuMs, timeoutMs: 600_000 });
const hello = `${mayfly.url}/fn/hello-0?name=Ada`;

await timed(calls / 2, () => true);
const alone = await timed(calls, () => true);
let ended = 0;
const running = Array.from({ length: loops }, async () => {
  const answer = await fetch(`${mayfly.url}/fn/loop`);
  await answer.text();
  ended += 1;
  return { status: answer.status, cpuMs: Number(answer.headers.get("x-mayfly-cpu-ms")) };
});
// They begin to run.
await new Promise((resolve) => setTimeout(resolve, 100));
const beside = await timed(calls, () => ended === 0);
const endings = await Promise.all(running);
const overMs = endings.map(({ status, cpuMs: used }) => {
  if (status !== 504) throw new Error(`A loop ended with ${status}`);
  return used - cpuMs;
});

const row = (server: string, times: readonly number[]) => ({
  server,
  calls: times.length,
  "p50 ms": percentile(times, 50).toFixed(2),
  "p99 ms": percentile(times, 99).toFixed(2),
  "max ms": percentile(times, 100).toFixed(2),
  "p50 of alone": (percentile(times, 50) / percentile(alone, 50)).toFixed(2),
});
print(
  `hello, one after the other, beside ${loops} endless loops on two threads; the loops ended ` +
    `${Math.min(...overMs).toFixed(1)} to ${Math.max(...overMs).toFixed(1)} ms of CPU time from their limit of ${cpuMs} ms`,
  [row("alone", alone), row("beside endless loops", beside)],
);

/** Times of calls one after the other, as long as they are wanted. */
async function timed(most: number, wanted: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (times.length < most && wanted()) {
    const startMs = performance.now();
    const text = await (await fetch(hello)).text();
    times.push(performance.now() - startMs);
    if (text !== helloText) throw new Error(`hello answered ${text}`);
  }
  return times;
}
