// Many functions on one host: what they take while nobody calls them, what it takes to have called each
// once, and whether the first call of one is slower for the others being there.

import { deployCopies, gauge, helloModule, startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const functions = Number(process.env["FUNCTIONS"] ?? 10_000);
const sample = 10;

const wasm = await helloModule();
await using mayfly = await startMayfly(0, ["--min-workers", "2", "--max-workers", "2"]);
const rssMb = async (): Promise<number> => (await gauge(mayfly, "mayfly_resident_memory_bytes")) / 2 ** 20;

const empty = await settled(rssMb);
await deployCopies(mayfly, wasm, 0, sample + 1);
const few = await firstCalls(0, sample + 1);
await deployCopies(mayfly, wasm, sample + 1, functions);
const idle = await settled(rssMb);
// Those deployed last are what a host has still in hand; the rest has been let go and is read again.
const many = await firstCalls(functions - sample - 1, functions);
await firstCalls(sample + 1, functions - sample - 1);
const called = await settled(rssMb);

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
async function firstCalls(first: number, end: number): Promise<number[]> {
  const times: number[] = [];
  for (let copy = first; copy < end; copy += 1) {
    const startMs = performance.now();
    const answer = await fetch(`${mayfly.url}/fn/hello-${copy}?name=Ada`);
    const text = await answer.text();
    times.push(performance.now() - startMs);
    if (text !== "Hello, Ada!") throw new Error(`hello-${copy}: ${answer.status} ${text}`);
  }
  return times;
}

/** The value once garbage has been collected: the least of some readings. */
async function settled(read: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 10; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    least = Math.min(least, await read());
  }
  return least;
}
