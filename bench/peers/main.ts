// `npm run bench:peers`: measures Mayfly against its peers and writes docs/benchmarks.md, its plots and the
// samples behind them. `--render` writes the document anew from the samples that are there. ROUNDS, SECONDS
// (of load a peer and round) and COLD (first calls a peer and round) change how long it takes.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { document } from "./document.ts";
import { functionFolder } from "./function-folder.ts";
import { thisMachine } from "./machine.ts";
import { functionsNeeded, measure } from "./measure.ts";
import { peers } from "./peers.ts";
import { plots } from "./plots.ts";
import type { Report, Settings } from "./report.ts";

const docs = join(import.meta.dirname, "../../docs");
const plotFolder = join(docs, "benchmarks");
const samplesFile = join(plotFolder, "samples.json");

const settings: Settings = {
  rounds: Number(process.env["ROUNDS"] ?? 5),
  connections: 32,
  warmUpSeconds: 1,
  loadSeconds: Number(process.env["SECONDS"] ?? 3),
  warmCallsMax: 1_000,
  warmMsMax: 1_000,
  coldCalls: Number(process.env["COLD"] ?? 20),
};

const samples = process.argv.includes("--render")
  ? await readFile(samplesFile, "utf8")
  : `${JSON.stringify(await compare(), fourDigits)}\n`;
// From what is kept, so that rendering it again changes nothing.
const report: Report = JSON.parse(samples);
await mkdir(plotFolder, { recursive: true });
await writeFile(samplesFile, samples);
for (const { file, svg } of plots(report)) await writeFile(join(plotFolder, file), svg);
await writeFile(join(docs, "benchmarks.md"), document(report));
process.stderr.write("Wrote docs/benchmarks.md and docs/benchmarks/\n");

/** More digits than a clock is good for. */
function fourDigits(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

async function compare(): Promise<Report> {
  await using functions = await functionFolder(functionsNeeded(settings));
  const startMs = performance.now();
  const results = await measure(peers, functions, settings, (step) => {
    process.stderr.write(`${((performance.now() - startMs) / 1000).toFixed(0).padStart(4)} s  ${step}\n`);
  });
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: thisMachine(),
    settings,
    ...results,
  };
}
