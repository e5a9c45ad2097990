// Whether a switch of the live version loses calls: 100 switches among four versions under 5,000 calls a
// second, every answer held against what was live while its request was under way.

import { answering } from "../test/support/guests.ts";
import { startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";
import { type SwitchingLoad, switchUnderLoad } from "./switching-load.ts";

await using mayfly = await startMayfly(0);
const versions = [1, 2, 3, 4];
for (const version of versions) {
  const path = `${mayfly.url}/v1/functions/switched`;
  const answer = await fetch(path, { method: "PUT", body: Buffer.from(answering(`v${version}`)) });
  if (answer.status !== 201) throw new Error(`The deploy: ${answer.status} ${await answer.text()}`);
}
// The one that was deployed last is live.
const load: SwitchingLoad = {
  url: mayfly.url,
  name: "switched",
  callsPerSecond: Number(process.env["RATE"] ?? 5_000),
  switches: Number(process.env["SWITCHES"] ?? 100),
  restMs: 50,
  versions: [4, 1, 2, 3],
  connections: 64,
};
await switchUnderLoad({ ...load, switches: 4 });
const result = await switchUnderLoad(load);
const { calls, failed, wrong, elapsedMs, latenciesMs, switchesMs } = result;
const hundredths = (value: number): number => Math.round(value * 100) / 100;
print(`${load.switches} switches of the live version under load`, [
  {
    server: "Mayfly",
    calls,
    "calls/s": Math.round((calls * 1_000) / elapsedMs),
    failed: failed.length,
    "not live": wrong.length,
    "p50 ms": hundredths(percentile(latenciesMs, 50)),
    "p99 ms": hundredths(percentile(latenciesMs, 99)),
    "switch p50 ms": hundredths(percentile(switchesMs, 50)),
    "switch max ms": hundredths(percentile(switchesMs, 100)),
  },
]);
for (const fault of [...failed, ...wrong].slice(0, 10)) process.stderr.write(`${fault}\n`);
if (failed.length + wrong.length > 0) process.exitCode = 1;
