// What looking on costs: calls of hello on a host that meters, counts and keeps its calls, as every host does,
// and on one that also traces 1 % of them, against one that does not look. Rounds of the three in turn, in an
// order that changes; the ratio is the median of those of each round.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostEnv, hostFlags } from "../host/engine-flags.ts";
import { load } from "./load.ts";
import { helloModule, helloText, listening, type Server, upload } from "./servers.ts";
import { median, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 9);
const seconds = Number(process.env["SECONDS"] ?? 3);
const connections = 32;
const kinds = ["unobserved", "observed", "traced"] as const;
type Kind = (typeof kinds)[number];

/** A collector that takes everything, and counts it. */
let spans = 0;
const collector = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    spans += (body.match(/"parentSpanId"|"name":"fn hello"/g) ?? []).length;
    response.end("{}");
  });
});
await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
const { port } = collector.address() as AddressInfo;

const folders: string[] = [];
const servers = new Map<Kind, Server>();
for (const kind of kinds) {
  const data = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
  folders.push(data);
  // As under a supervisor, but for Node's permission model, which the benchmark's own files would need.
  const flags = hostFlags(data, false).filter((flag) => !/^--(permission|allow-)/.test(flag));
  const entry = join(import.meta.dirname, "observed-host.ts");
  const child = spawn(process.execPath, [...flags, entry, data, kind, `http://127.0.0.1:${port}/v1/traces`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...hostEnv(data) },
  });
  const server = await listening(child);
  await upload(server, "hello", await helloModule());
  const text = await (await fetch(`${server.url}/fn/hello?name=Ada`)).text();
  if (text !== helloText) throw new Error(`${kind} answered ${JSON.stringify(text)}`);
  await load(`${server.url}/fn/hello?name=Ada`, connections, 2);
  servers.set(kind, server);
}

type Round = { readonly perSecond: number; readonly cpuUs: number };
const results: Record<Kind, Round[]> = { unobserved: [], observed: [], traced: [] };
for (let round = 0; round < rounds; round += 1) {
  for (let turn = 0; turn < kinds.length; turn += 1) {
    const kind = kinds[(round + turn) % kinds.length] as Kind;
    const server = servers.get(kind) as Server;
    const before = cpuMs(server);
    const { perSecond } = await load(`${server.url}/fn/hello?name=Ada`, connections, seconds);
    const cpuUs = ((cpuMs(server) - before) * 1_000) / (perSecond * seconds);
    results[kind].push({ perSecond, cpuUs });
  }
}

print(
  `hello, ${connections} connections, ${rounds} rounds of ${seconds} s, medians; ${spans} spans sent`,
  kinds.map((kind) => ({
    server: kind,
    "calls/s": Math.round(median(results[kind].map(({ perSecond }) => perSecond))),
    "of unobserved": ratio(kind, ({ perSecond }) => perSecond),
    "CPU us a call": median(results[kind].map(({ cpuUs }) => cpuUs)).toFixed(1),
    "CPU of unobserved's": ratio(kind, ({ cpuUs }) => cpuUs),
  })),
);

for (const server of servers.values()) await server[Symbol.asyncDispose]();
for (const folder of folders) await rm(folder, { recursive: true, force: true });
collector.closeAllConnections();
collector.close();

function ratio(kind: Kind, of: (round: Round) => number): string {
  return median(
    results[kind].map((each, round) => of(each) / of(results.unobserved[round] as Round)),
  ).toFixed(3);
}

/** CPU time of a process so far, where the kernel tells (Linux). */
function cpuMs({ process: { pid } }: Server): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
