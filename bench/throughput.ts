// How many hello calls per second, each in a fresh instance, against bare node:http and bare Hono
// that answer the same text from memory: rounds of the three in turn, ratios from the same run.

import { load } from "./load.ts";
import { helloText, type Server, startBare, startMayfly } from "./servers.ts";
import { median, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 4);
const connections = 32;

await using node = await startBare("node:http");
await using hono = await startBare("Hono");
await using mayfly = await startMayfly(1);
const targets: readonly (readonly [string, Server, string])[] = [
  ["bare node:http", node, node.url],
  ["bare Hono", hono, hono.url],
  ["Mayfly, fresh instance per call", mayfly, `${mayfly.url}/fn/hello-0?name=Ada`],
];

for (const [name, , url] of targets) {
  const text = await (await fetch(url)).text();
  if (text !== helloText) throw new Error(`${name} answered ${JSON.stringify(text)}`);
  await load(url, connections, 2);
}

const results = new Map<string, { perSecond: number[]; p99Ms: number[] }>();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, , url] of targets) {
    const { perSecond, p99Ms } = await load(url, connections, seconds);
    const row = results.get(name) ?? { perSecond: [], p99Ms: [] };
    row.perSecond.push(perSecond);
    row.p99Ms.push(p99Ms);
    results.set(name, row);
  }
}

const baseline = results.get("bare Hono");
if (baseline === undefined) throw new Error("no baseline");
print(
  `hello, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
  [...results].map(([name, row]) => ({
    server: name,
    "calls/s": Math.round(median(row.perSecond)),
    "of bare Hono": (median(row.perSecond) / median(baseline.perSecond)).toFixed(2),
    "p99 ms": median(row.p99Ms).toFixed(1),
    "p99 of bare Hono's": ratio(median(row.p99Ms), median(baseline.p99Ms)),
  })),
);

/** Times come in whole milliseconds: below one, the ratio is more than that to one. */
function ratio(ms: number, baselineMs: number): string {
  return baselineMs > 0 ? (ms / baselineMs).toFixed(2) : `> ${ms.toFixed(2)}`;
}
