// What a call, a thread, a call that waits, and a function cost a host: the numbers that the model of scale
// (bench/simulator/capacity.ts) starts from. CPU is read from the kernel, thread by thread: Linux alone.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { limits } from "../host/limits.ts";
import type { Burst } from "./burst-client.ts";
import { load } from "./load.ts";
import { deploy, helloModule, hostPid, type Server, serve, startMayfly, storeCopies } from "./servers.ts";
import { type Costs, costRows, writeCosts } from "./simulator/costs.ts";
import { report } from "./simulator/scaling-document.ts";
import { median } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 3);
const seconds = Number(process.env["SECONDS"] ?? 3);
const functions = Number(process.env["FUNCTIONS"] ?? 10_000);
/** As many as a host keeps compiled. */
const called = Math.min(functions, Number(process.env["CALLED"] ?? limits.modulesCachedMax));
const waitingCalls = Number(process.env["CALLS"] ?? 2_000);
const moreThreads = 8;
const twoThreads = ["--min-workers", "2", "--max-workers", "2"];

const costs: Costs = {
  ...(await perShortCall()),
  ...(await perHandedCall()),
  ...(await perThread()),
  ...(await perLiveCall()),
  ...(await perFunction()),
};
if (process.argv.includes("--write")) writeCosts(costs);
report(
  "costs",
  `What a host pays, two threads, ${rounds} rounds of ${seconds} s, ${waitingCalls} calls that wait, ${functions} functions, ${called} of them called`,
  costRows(costs),
  "what",
);

async function perShortCall(): Promise<Pick<Costs, "shortUsPerCall">> {
  return { shortUsPerCall: (await perCall(twoThreads)).mainUs };
}

async function perHandedCall(): Promise<Pick<Costs, "mainUsPerCall" | "threadsUsPerCall">> {
  const { mainUs, othersUs } = await perCall([...twoThreads, "--threads-only"]);
  return { mainUsPerCall: mainUs, threadsUsPerCall: othersUs };
}

/** CPU a call under load, of the main thread and of all others. */
async function perCall(flags: readonly string[]): Promise<{ mainUs: number; othersUs: number }> {
  await using mayfly = await startMayfly(1, flags);
  const url = `${mayfly.url}/fn/hello-0?name=Ada`;
  await load(url, 32, 2);
  const main: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = cpuOf(mayfly);
    const { perSecond } = await load(url, 32, seconds);
    const after = cpuOf(mayfly);
    const calls = perSecond * seconds;
    main.push(((after.mainMs - before.mainMs) * 1_000) / calls);
    others.push(((after.allMs - after.mainMs - before.allMs + before.mainMs) * 1_000) / calls);
  }
  return { mainUs: median(main), othersUs: median(others) };
}

async function perThread(): Promise<Pick<Costs, "baseMb" | "threadMb" | "threadStartMs">> {
  const started = async (threads: number) => {
    const count = String(threads);
    await using mayfly = await startMayfly(0, ["--min-workers", count, "--max-workers", count]);
    const rssMb = await settledMb(mayfly);
    return { rssMb, cpuMs: cpuOf(mayfly).allMs };
  };
  const few = await started(1);
  const many = await started(1 + moreThreads);
  const threadMb = (many.rssMb - few.rssMb) / moreThreads;
  return { threadMb, baseMb: few.rssMb - threadMb, threadStartMs: (many.cpuMs - few.cpuMs) / moreThreads };
}

async function perLiveCall(): Promise<Pick<Costs, "liveCallKb">> {
  await using mayfly = await startMayfly(0, twoThreads);
  const source = `import { Request, Response, sleep } from "mayfly";
    export function handle(req: Request): Response { sleep(3000); return Response.text("done"); }`;
  await deploy(mayfly, "sleeps", source, { concurrency: waitingCalls, queue: 0, timeoutMs: 60_000 });
  await fetch(`${mayfly.url}/fn/sleeps`);
  const before = await settledMb(mayfly);
  const client = [`${import.meta.dirname}/burst-client.ts`, `${mayfly.url}/fn/sleeps`, String(waitingCalls)];
  let mostMb = before;
  let answered = false;
  const burst = promisify(execFile)(process.execPath, client).finally(() => {
    answered = true;
  });
  while (!answered) {
    mostMb = Math.max(mostMb, residentMb(mayfly));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { statuses } = JSON.parse((await burst).stdout) as Burst;
  if (statuses["200"] !== waitingCalls) throw new Error(`sleeps: ${JSON.stringify(statuses)}`);
  return { liveCallKb: ((mostMb - before) * 1_024) / waitingCalls };
}

async function perFunction(): Promise<
  Pick<Costs, "idleFunctionKb" | "keptModuleKb" | "loadMainMs" | "loadMs">
> {
  const data = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
  try {
    // The first start on an engine compiles every function, which leaves traces: it is to find none.
    await residentOnce(data);
    const emptyMb = await residentOnce(data);
    await storeCopies(data, await helloModule(), 0, functions);
    const idleMb = await residentOnce(data);
    await using mayfly = await serve(data, twoThreads);
    const uncalledMb = await warmMb(mayfly);
    const first = await callAll(mayfly);
    const calledMb = await settledMb(mayfly);
    const later = await callAll(mayfly);
    return {
      idleFunctionKb: ((idleMb - emptyMb) * 1_024) / functions,
      keptModuleKb: ((calledMb - uncalledMb) * 1_024) / called,
      loadMainMs: (first.mainMs - later.mainMs) / called,
      loadMs: (first.allMs - later.allMs) / called,
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** Starts a host on a folder, and says what it takes while nobody calls it. */
async function residentOnce(data: string): Promise<number> {
  await using mayfly = await serve(data, twoThreads);
  return await settledMb(mayfly);
}

type Cpu = { readonly mainMs: number; readonly allMs: number };

/** Calls functions once each, one after the other; the CPU that the host took. */
async function callAll(server: Server): Promise<Cpu> {
  const before = cpuOf(server);
  for (let copy = 0; copy < called; copy += 1) {
    const answer = await fetch(`${server.url}/fn/hello-${copy}?name=Ada`);
    const text = await answer.text();
    if (text !== "Hello, Ada!") throw new Error(`hello-${copy}: ${answer.status} ${text}`);
  }
  const after = cpuOf(server);
  return { mainMs: after.mainMs - before.mainMs, allMs: after.allMs - before.allMs };
}

/** CPU that the host process has used: its main thread's, and that of all its threads. */
function cpuOf(server: Server): Cpu {
  const pid = hostPid(server);
  const ofThread = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  const allMs = readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + ofThread(thread), 0);
  return { mainMs: ofThread(String(pid)), allMs };
}

function residentMb(server: Server): number {
  const status = readFileSync(`/proc/${hostPid(server)}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

/** Resident memory after a load, which brings the heaps of a new host to the size that they keep. */
async function warmMb(server: Server): Promise<number> {
  await load(`${server.url}/fn/hello-0?name=Ada`, 32, seconds);
  return settledMb(server);
}

/** Resident memory once garbage has been collected: the least of some readings. */
async function settledMb(server: Server): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < 8; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    least = Math.min(least, residentMb(server));
  }
  return least;
}
