// Sends so many GET requests at once, each on a connection of its own, and prints how long the last
// answer took and how many had which status. Started by other benchmarks, in a process of its own.

import { Agent, get } from "node:http";

const [url = "", count = "0"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

export type Burst = { readonly ms: number; readonly statuses: Readonly<Record<string, number>> };

const statuses: Record<string, number> = {};
const startMs = performance.now();
await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const status = await answered();
    statuses[status] = (statuses[status] ?? 0) + 1;
  }),
);
console.log(JSON.stringify({ ms: performance.now() - startMs, statuses } satisfies Burst));
process.exit(0);

function answered(): Promise<string> {
  return new Promise((resolve) => {
    const sent = get(url, { agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(String(response.statusCode)));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
