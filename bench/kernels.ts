// What metering costs: each kernel of bench/kernels/, metered against plain. Both forms have their
// memory imported; answers are compared first, rounds are interleaved, and times are lower quintiles,
// since what else the machine does only ever adds to them.
// `--json` prints JSON; names given as words choose kernels.

import { inspectModule } from "../host/wasm/inspect.ts";
import { prepareModule } from "../host/wasm/prepare.ts";
import { compileKernel, kernels, startKernel } from "./kernels/kernel-modules.ts";
import { percentile, print } from "./statistics.ts";

const rounds = Number(process.env["ROUNDS"] ?? 41);
const chosen = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const deadlineMs = performance.now() + 3_600_000;
let checks = 0;

const rows: Record<string, string | number>[] = [];
const ratios: number[] = [];
for (const kernel of kernels) {
  if (chosen.length > 0 && !chosen.includes(kernel.name)) continue;
  const bytes = await compileKernel(kernel.name);
  const inspection = inspectModule(bytes);
  const pages = inspection.memories[0]?.initialPages ?? 0;
  const prepared = prepareModule(bytes, inspection);
  const metered = prepareModule(bytes, inspection, { meter: true });
  const [runPlain, runMetered] = [prepared, metered].map((form) => startKernel(form, pages, check)) as [
    Run,
    Run,
  ];
  warmUp(kernel.name, kernel.rounds, runPlain, runMetered);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const plainMs: number[] = [];
  const meteredMs: number[] = [];
  checks = 0;
  for (let round = 0; round < rounds; round += 1) {
    plainMs.push(timed(runPlain, kernel.rounds));
    meteredMs.push(timed(runMetered, kernel.rounds));
  }
  const ratio = time(meteredMs) / time(plainMs);
  ratios.push(ratio);
  rows.push({
    server: kernel.name,
    "plain ms": time(plainMs).toFixed(2),
    "metered ms": time(meteredMs).toFixed(2),
    "metered / plain": ratio.toFixed(3),
    "us between checks": ((time(meteredMs) * 1000 * rounds) / Math.max(1, checks)).toFixed(1),
    "bytes, metered / plain": (metered.length / prepared.length).toFixed(2),
  });
}
const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
rows.push({ server: "geometric mean", "metered / plain": mean.toFixed(3) });
rows.push({ server: "worst", "metered / plain": Math.max(...ratios).toFixed(3) });
print("metered against plain", rows);

function time(samples: readonly number[]): number {
  return percentile(samples, 20);
}

type Run = (rounds: number) => number;

/** What the host's check does when nothing is due: it reads a clock. */
function check(): number {
  checks += 1;
  return performance.now() > deadlineMs ? 1 : 0;
}

/** Runs both until the optimising compiler has had its turn, and compares their answers. */
function warmUp(name: string, kernelRounds: number, runPlain: Run, runMetered: Run): void {
  const end = performance.now() + 200;
  while (performance.now() < end) {
    const plain = runPlain(kernelRounds);
    const answer = runMetered(kernelRounds);
    if (!Object.is(plain, answer)) throw new Error(`${name}: plain says ${plain}, metered ${answer}`);
  }
}

function timed(run: Run, kernelRounds: number): number {
  const start = performance.now();
  run(kernelRounds);
  return performance.now() - start;
}
