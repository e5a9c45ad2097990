// Whether anything stays behind: calls stopped at their CPU limit, calls stopped while they are suspended,
// and calls that answer, each by the tens of thousands. The host's memory and mappings once a tenth of
// the calls have passed, against those at the end.

import { readFileSync } from "node:fs";
import autocannon from "autocannon";
import { configure, deploy, gauge, hostPid, startMayfly } from "./servers.ts";
import { print } from "./statistics.ts";

const stops = Number(process.env["STOPS"] ?? 100_000);
const hellos = Number(process.env["CALLS"] ?? 1_000_000);
/** Samples of each phase, the first of which is the measure. */
const tenths = 10;

await using mayfly = await startMayfly(1, ["--min-workers", "2", "--max-workers", "2"]);
const pid = hostPid(mayfly);
const handler = (body: string): string => `
  import { Request, Response, sleep } from "mayfly";
  let kept = 0;
  export function handle(req: Request): Response { ${body} return Response.text("done"); }
`;
await deploy(mayfly, "loops", handler("while (true) kept += 1;"), { cpuMs: 1 });
await deploy(mayfly, "sleeps", handler("sleep(600000);"), { timeoutMs: 20, concurrency: 1_000 });
await configure(mayfly, "hello-0", { concurrency: 1_000 });

const phases = [
  { server: "stopped at the CPU limit", name: "loops", status: 504, connections: 16, calls: stops / 2 },
  { server: "stopped while suspended", name: "sleeps", status: 504, connections: 200, calls: stops / 2 },
  { server: "answered", name: "hello-0", status: 200, connections: 32, calls: hellos },
];
const rows: Record<string, string | number>[] = [];
for (const { server, name, status, connections, calls } of phases) {
  const samples: { rssMb: number; mappings: number }[] = [];
  for (let tenth = 0; tenth < tenths; tenth += 1) {
    await load(`${mayfly.url}/fn/${name}`, status, connections, Math.ceil(calls / tenths));
    samples.push(await sample());
  }
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) throw new Error("no samples");
  rows.push({
    server,
    calls,
    "RSS MB after a tenth": Math.round(first.rssMb),
    "at the end": Math.round(last.rssMb),
    most: Math.round(Math.max(...samples.map(({ rssMb }) => rssMb))),
    ratio: (last.rssMb / first.rssMb).toFixed(2),
    "mappings after a tenth": first.mappings,
    "mappings at the end": last.mappings,
  });
}
print("what stays behind of calls, on two threads", rows);

async function load(url: string, status: number, connections: number, amount: number): Promise<void> {
  const result = await autocannon({ url, connections: Math.min(connections, amount), amount, timeout: 60 });
  const count = result.statusCodeStats?.[`${status}`]?.count ?? 0;
  if (count !== amount || result.errors > 0) {
    throw new Error(`${url}: ${count} of ${amount} were ${status}, ${result.errors} errors`);
  }
}

async function sample(): Promise<{ rssMb: number; mappings: number }> {
  return {
    rssMb: (await gauge(mayfly, "mayfly_resident_memory_bytes")) / 2 ** 20,
    mappings: readFileSync(`/proc/${pid}/maps`, "utf8").split("\n").length - 1,
  };
}
