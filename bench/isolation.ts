// What a fresh instance per call costs: the same function with `isolation` fresh and reuse, both on
// worker threads, rounds of the two in turn, the ratio from the same run. Beside them fresh as a host runs
// it by default, where short calls need no thread.

import { load } from "./load.ts";
import { configure, helloText, startMayfly } from "./servers.ts";
import { median, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 6);
const seconds = Number(process.env["SECONDS"] ?? 4);
const connections = 32;

await using onThreads = await startMayfly(2, ["--threads-only"]);
await using byDefault = await startMayfly(1);
await configure(onThreads, "hello-1", { isolation: "reuse" });
const targets = [
  ["reuse", `${onThreads.url}/fn/hello-1?name=Ada`],
  ["fresh", `${onThreads.url}/fn/hello-0?name=Ada`],
  ["fresh, short calls on the main thread", `${byDefault.url}/fn/hello-0?name=Ada`],
] as const;

const perSecond = new Map<string, number[]>();
for (let round = -1; round < rounds; round += 1) {
  for (const [isolation, url] of targets) {
    const text = await (await fetch(url)).text();
    if (text !== helloText) throw new Error(`${isolation} answered ${JSON.stringify(text)}`);
    const result = await load(url, connections, seconds);
    // The first round warms up.
    if (round >= 0) perSecond.set(isolation, [...(perSecond.get(isolation) ?? []), result.perSecond]);
  }
}

const reused = median(perSecond.get("reuse") ?? []);
print(
  `hello, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
  [...perSecond].map(([isolation, values]) => ({
    server: isolation,
    "calls/s": Math.round(median(values)),
    "of reuse": (median(values) / reused).toFixed(2),
  })),
);
