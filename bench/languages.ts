// What a call costs by the language of its function, each in a fresh instance: rounds of all in turn against the
// AssemblyScript hello, which answers the same text, ratios from the same run; and the CPU time of calls one
// after the other, which a busy machine does not change. Languages whose compiler the machine does not have are
// left out.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeTree } from "../host/files/file-tree.ts";
import { rubyMissing, rubyProgram } from "../scripts/ruby.ts";
import { buildProgram, type Toolchain, toolchains } from "../scripts/toolchains.ts";
import { load } from "./load.ts";
import { configure, helloText, startMayfly } from "./servers.ts";
import { median, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 5);
const seconds = Number(process.env["SECONDS"] ?? 3);
const connections = 32;
/** Calls one after the other; fewer of those that take long. */
const callsMax = 300;
const callsMsMax = 5_000;
/** Names of those to measure; all unless given. */
const only = process.env["LANGUAGES"]?.split(",");

const programs: readonly (readonly [Toolchain, string])[] = [
  [toolchains.c, "hello.c"],
  [toolchains.rust, "hello.rs"],
  [toolchains.go, "plain.go"],
  [toolchains.go, "main.go"],
  [toolchains.zig, "hello.zig"],
];

type Target = {
  readonly name: string;
  readonly url: string;
  readonly bytes: number | null;
  readonly firstMs: number;
  readonly cpuMs: number;
  readonly perSecond: number[];
};

await using mayfly = await startMayfly(1);
const targets: Target[] = [];

/** What the host says a call took it, its wait for a thread left out, and the CPU time of that, ms. */
async function call(url: string): Promise<{ ms: number; cpuMs: number }> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (text !== helloText) throw new Error(`${url} answered ${JSON.stringify(text)}`);
  const phases = [...(answer.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=([\d.]+)/g)];
  const ms = phases.reduce((sum, [, name, dur]) => sum + (name === "queue" ? 0 : Number(dur)), 0);
  return { ms, cpuMs: Number(answer.headers.get("x-mayfly-cpu-ms")) };
}

async function add(name: string, deployment: string, bytes: number | null): Promise<void> {
  const url = `${mayfly.url}/fn/${deployment}?name=Ada`;
  const { ms: firstMs } = await call(url);
  const cpu: number[] = [];
  for (const startMs = performance.now(); cpu.length < callsMax; ) {
    cpu.push((await call(url)).cpuMs);
    if (performance.now() - startMs > callsMsMax) break;
  }
  targets.push({ name, url, bytes, firstMs, cpuMs: median(cpu), perSecond: [] });
}

async function deploy(name: string, wasm: Uint8Array<ArrayBuffer>, script: string | null): Promise<void> {
  const form = new FormData();
  form.set("module", new Blob([wasm]), "module.wasm");
  if (script !== null) {
    form.set("files", new Blob([encodeTree([{ path: "app.rb", bytes: Buffer.from(script) }])]), "files");
  }
  await configure(mayfly, name, { cpuMs: 60_000, memoryMb: 256 });
  const answer = await fetch(`${mayfly.url}/v1/functions/${name}`, { method: "PUT", body: form });
  if (!answer.ok) throw new Error(`deploy of ${name}: ${answer.status} ${await answer.text()}`);
}

function isWanted(language: string, missing: string | null): boolean {
  if (only?.includes(language) === false) return false;
  if (missing !== null) process.stderr.write(`${language} is left out: ${missing}\n`);
  return missing === null;
}

await add("AssemblyScript", "hello-0", null);
for (const [toolchain, source] of programs) {
  const { language } = toolchain;
  if (!isWanted(language, await toolchain.missing())) continue;
  const wasm = await buildProgram(toolchain, source);
  const name = `${language}-${source.replace(/\..*/, "")}`;
  await deploy(name, wasm, null);
  await add(`${language}, ${source}`, name, wasm.byteLength);
}
if (isWanted("ruby", rubyMissing())) {
  const wasm = new Uint8Array(await readFile(await rubyProgram()));
  const script = join(import.meta.dirname, "../guest/examples/ruby/app.rb");
  await deploy("hello-ruby", wasm, await readFile(script, "utf8"));
  await add("ruby", "hello-ruby", wasm.byteLength);
}

for (let round = 0; round <= rounds; round += 1) {
  for (const { url, perSecond } of targets) {
    const { perSecond: found } = await load(url, connections, seconds);
    // The first round warms up.
    if (round > 0) perSecond.push(found);
  }
}

const [baseline] = targets;
if (baseline === undefined) throw new Error("no baseline");
print(
  `hello, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
  targets.map(({ name, bytes, firstMs, cpuMs, perSecond }) => ({
    server: name,
    "module bytes": bytes ?? "-",
    "first call ms": firstMs.toFixed(1),
    "CPU ms per call": cpuMs.toFixed(3),
    "calls/s": Math.round(median(perSecond)),
    "of AssemblyScript": (median(perSecond) / median(baseline.perSecond)).toFixed(2),
  })),
);
