// What the first ever call of a deployed function costs against its later calls, one connection, host
// up: copies of hello that differ in a byte V8 compiles, each called once cold, then again warm.
// Bare node:http in the same run is the price of HTTP alone.

import { Agent } from "node:http";
import { helloText, startBare, startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";
import { timedCall } from "./timed-call.ts";

const copies = Number(process.env["COPIES"] ?? 200);
const warmCalls = 5;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const timed = (url: string): Promise<number> => timedCall(url, agent, helloText);

await using node = await startBare("node:http");
await using mayfly = await startMayfly(copies);

const bare: number[] = [];
const cold: number[] = [];
const warm: number[] = [];
for (let call = 0; call < 200; call += 1) await timed(node.url);
for (let copy = 0; copy < copies; copy += 1) {
  const url = `${mayfly.url}/fn/hello-${copy}?name=Ada`;
  bare.push(await timed(node.url));
  cold.push(await timed(url));
  for (let call = 0; call < warmCalls; call += 1) warm.push(await timed(url));
}
agent.destroy();

const base = percentile(warm, 50);
const row = (server: string, samples: readonly number[]) => ({
  server,
  samples: samples.length,
  "p50 ms": percentile(samples, 50).toFixed(2),
  "p90 ms": percentile(samples, 90).toFixed(2),
  "p99 ms": percentile(samples, 99).toFixed(2),
  "p50 of warm p50": (percentile(samples, 50) / base).toFixed(2),
  "p99 of warm p50": (percentile(samples, 99) / base).toFixed(2),
  "p99 of warm p99": (percentile(samples, 99) / percentile(warm, 99)).toFixed(2),
});
print(`first and later calls of ${copies} deployed functions, one connection`, [
  row("bare node:http", bare),
  row("Mayfly, later calls", warm),
  row("Mayfly, first ever call", cold),
]);
