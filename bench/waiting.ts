// Ten thousand calls at once that each sleep a second, on two threads, against bare node:http with a
// timer, in turn; and five thousand that recurse as deep as their stack allows before they sleep.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Burst } from "./burst-client.ts";
import { deploy, startBare, startMayfly } from "./servers.ts";
import { median, print } from "./statistics.ts";

const calls = Number(process.env["CALLS"] ?? 10_000);
const rounds = Number(process.env["ROUNDS"] ?? 3);
const ms = 1_000;

const source = (depth: number): string => `
  import { Request, Response, sleep } from "mayfly";
  let kept = 0;
  function deep(levels: i32): i32 {
    if (levels == 0) { sleep(${ms}); return 1; }
    const below = deep(levels - 1);
    kept += below;
    return below + 1;
  }
  export function handle(req: Request): Response { return Response.text(deep(${depth}).toString()); }
`;

await using node = await startBare("node:http, sleeping");
await using mayfly = await startMayfly(0, ["--min-workers", "2", "--max-workers", "2"]);
const config = { concurrency: 20_000, queue: 0, timeoutMs: 60_000 };
await deploy(mayfly, "sleeps", source(0), config);
await deploy(mayfly, "deep", source(1_000), config);

const rows: Record<string, { ms: number[]; rssMb: number[] }> = {};
const startRssMb = await rssMb();
for (let round = 0; round < rounds; round += 1) {
  await measure("bare node:http, setTimeout", node.url, calls);
  await measure("Mayfly, sleep", `${mayfly.url}/fn/sleeps`, calls);
}
await measure(`Mayfly, ${calls / 2} that recurse 1,000 deep, then sleep`, `${mayfly.url}/fn/deep`, calls / 2);
const baseline = median(rows["bare node:http, setTimeout"]?.ms ?? []);
print(
  `${calls} calls that sleep ${ms} ms, at once, ${rounds} rounds, medians; the host began with ${Math.round(startRssMb)} MB`,
  Object.entries(rows).map(([server, row]) => ({
    server,
    "ms to the last answer": Math.round(median(row.ms)),
    "of bare node:http": (median(row.ms) / baseline).toFixed(2),
    "most RSS of the host, MB": row.rssMb.length === 0 ? "-" : Math.round(Math.max(...row.rssMb)),
  })),
);

async function measure(name: string, url: string, count: number): Promise<void> {
  const row = rows[name] ?? { ms: [], rssMb: [] };
  rows[name] = row;
  let done = false;
  const isOurs = url.startsWith(mayfly.url);
  const watched = (async () => {
    while (isOurs && !done) {
      row.rssMb.push(await rssMb());
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const client = [`${import.meta.dirname}/burst-client.ts`, url, String(count)];
  const { stdout } = await promisify(execFile)(process.execPath, client);
  done = true;
  await watched;
  const { ms: took, statuses } = JSON.parse(stdout) as Burst;
  if (statuses["200"] !== count) throw new Error(`${name}: ${JSON.stringify(statuses)}`);
  row.ms.push(took);
}

async function rssMb(): Promise<number> {
  const text = await (await fetch(`${mayfly.url}/metrics`)).text();
  return Number(/^mayfly_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20;
}
