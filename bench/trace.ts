// How far the simulator is from a host: a trace of Poisson arrivals over more functions than a host keeps
// compiled, replayed on a real host in real time and in the simulator. Compared is which calls had to load
// their module: on the host by the `load` phase of Server-Timing, in the simulator by the least recently
// used rule.

import { mkdtemp, rm } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../host/limits.ts";
import { seeded } from "../test/support/seeded-random.ts";
import { helloModule, serve, storeCopies } from "./servers.ts";
import { callsPerDayAt } from "./simulator/azure-shape.ts";
import { callsOf, missesOf } from "./simulator/least-recent.ts";
import { report } from "./simulator/scaling-document.ts";
import { poisson, type Random } from "./simulator/trace.ts";

const functions = Number(process.env["FUNCTIONS"] ?? 3_000);
const seconds = Number(process.env["SECONDS"] ?? 60);
const perSecond = Number(process.env["RATE"] ?? 100);
const seed = Number(process.env["SEED"] ?? 1);

const next = seeded(seed);
const random: Random = () => next() / 2 ** 32;
// The part of the published shape between one call an hour and one a minute: below it nothing is called in
// the time there is, above it everything is kept.
const weights = Array.from({ length: functions }, (_, index) =>
  callsPerDayAt(0.45 + (0.36 * (index + 0.5)) / functions),
);
const weight = weights.reduce((sum, one) => sum + one, 0);
const timesFaster = (perSecond * 86_400) / weight;
const trace = weights.map((one) => ({
  arrivals: poisson((one / weight) * perSecond, seconds, random),
  durationS: 0,
  memoryMb: 0,
}));
const calls = callsOf({ functions: trace });
const simulated = missesOf(calls, limits.modulesCachedMax);

const data = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
const agent = new Agent({ keepAlive: true });
const measured: boolean[] = [];
try {
  // Before there are functions: the first start on an engine compiles every one.
  const before = await serve(data);
  await before[Symbol.asyncDispose]();
  await storeCopies(data, await helloModule(), 0, functions);
  await using mayfly = await serve(data);
  const startMs = performance.now();
  await Promise.all(
    calls.map(async ({ at, index }, call) => {
      await pause(Math.max(0, at * 1_000 - (performance.now() - startMs)));
      measured[call] = await loads(`${mayfly.url}/fn/hello-${index}?name=Ada`);
    }),
  );
} finally {
  agent.destroy();
  await rm(data, { recursive: true, force: true });
}

const share = (misses: readonly boolean[]): number => misses.filter(Boolean).length / misses.length;
const alike = measured.filter((missed, call) => missed === simulated[call]).length / measured.length;
const percentText = (value: number): string => `${(100 * value).toFixed(2)} %`;
report(
  "trace",
  `${calls.length} calls of ${functions} functions in ${seconds} s, Poisson, ${timesFaster.toFixed(0)} times as fast as published, ${limits.modulesCachedMax} modules kept, seed ${seed}`,
  [
    { server: "calls that loaded their module, on the host", share: percentText(share(measured)) },
    { server: "the same, in the simulator", share: percentText(share(simulated)) },
    { server: "apart by", share: percentText(Math.abs(share(measured) - share(simulated))) },
    { server: "calls on which host and simulator agree, one by one", share: percentText(alike) },
  ],
  "what",
);

/** Calls a function; whether the call paid for loading its module. */
function loads(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      answer.resume();
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve(String(answer.headers["server-timing"]).includes("load;"));
        else reject(new Error(`${url}: ${answer.statusCode}`));
      });
    }).on("error", reject);
  });
}
