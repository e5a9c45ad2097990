// How long a host is away when its process dies: the host process of `mayfly serve` is killed again
// and again, and a call made at that moment is timed until its answer. Against starting bare
// node:http and bare Hono by hand until they answer, in the same run.

import { spawnSync } from "node:child_process";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { helloText, type Server, startBare, startMayfly } from "./servers.ts";
import { percentile, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 10);
/** A host that died right after its start is not started again at once. */
const livesMs = 1_000;

const samples = { node: [] as number[], hono: [] as number[], mayfly: [] as number[] };
await using mayfly = await startMayfly(1);
const url = `${mayfly.url}/fn/hello-0?name=Ada`;
await answered(url);
for (let round = 0; round < rounds; round += 1) {
  samples.node.push(await started(() => startBare("node:http")));
  samples.hono.push(await started(() => startBare("Hono")));
  await pause(livesMs);
  const startMs = performance.now();
  process.kill(hostPid(mayfly.process.pid ?? 0), "SIGKILL");
  await answered(url);
  samples.mayfly.push(performance.now() - startMs);
}

const row = (server: string, times: readonly number[]) => ({
  server,
  samples: times.length,
  "p50 ms": Math.round(percentile(times, 50)),
  "max ms": Math.round(percentile(times, 100)),
  "p50 of bare Hono's": (percentile(times, 50) / percentile(samples.hono, 50)).toFixed(2),
});
print(`from nothing, or from a kill, to an answer, ${rounds} times`, [
  row("bare node:http, started", samples.node),
  row("bare Hono, started", samples.hono),
  row("Mayfly, host process killed", samples.mayfly),
]);

async function started(start: () => Promise<Server>): Promise<number> {
  const startMs = performance.now();
  await using server = await start();
  await answered(server.url);
  return performance.now() - startMs;
}

/** Resolves with the right answer; a connection that the kill cut off is made again. */
async function answered(target: string): Promise<void> {
  for (;;) {
    const text = await ask(target);
    if (text === helloText) return;
    if (text !== null) throw new Error(`${target}: ${text}`);
  }
}

function ask(target: string): Promise<string | null> {
  return new Promise((resolve) => {
    get(target, { agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve(text));
      answer.on("error", () => resolve(null));
    }).on("error", () => resolve(null));
  });
}

/** The child of the supervisor that runs the host. */
function hostPid(supervisor: number): number {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  for (const line of stdout.split("\n")) {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (Number(parent) === supervisor && command.includes("host-process")) return Number(pid);
  }
  throw new Error("The supervisor has no host process");
}
