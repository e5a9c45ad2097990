// `mayfly bench density`: many functions on one host: what one takes while nobody calls it, once it was
// called, and while an instance of it lives; and whether a first call is slower for the others.

import { exitCodes } from "../failure.ts";
import { timedCall, warmUp } from "./calling.ts";
import { copiesOf, deployCopies } from "./copies.ts";
import { type Point, slopeOf } from "./line-fit.ts";
import {
  emptyStarts,
  idleMemory,
  instanceMemory,
  instancesOption,
  withoutThreads,
} from "./memory-figures.ts";
import { numberOption, readNumber } from "./options.ts";
import { summarize } from "./quantiles.ts";
import { ratioOf } from "./ratio.ts";
import { type CallGroup, endToEndOf } from "./recorder.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";

const functionsOption = numberOption("functions", "copies to deploy", { default: 100, min: 4, max: 100_000 });

/** Of the empty host, and of the host with all functions, for their memory. */
const starts = 4;
const warmUpCalls = 300;
/** First calls among few functions, and readings of memory while the others are called. */
const part = 0.2;
const readings = 10;

const definition: BenchDefinition = {
  name: "density",
  args: "<function>",
  summary: "many functions on one host: memory of each, and whether they slow one another's first calls",
  examples: ["mayfly bench density hello.ts", "mayfly bench density hello.wasm --functions 1000"],
  notes: "A deploy takes a process of its own: a hundred functions take the better part of a minute.",
  options: [functionsOption, instancesOption],
  plan({ options }) {
    const settings = {
      functions: readNumber(options, functionsOption),
      instances: readNumber(options, instancesOption),
    };
    return { settings, measure: (run, target) => measure(run, target, settings) };
  },
};

export const benchDensity = benchCommand(definition);

type Settings = { readonly functions: number; readonly instances: number };

async function measure(run: BenchRun, target: Target, { functions, instances }: Settings): Promise<number> {
  const { host, recorder, progress } = run;
  const sample = Math.max(2, Math.round(functions * part));
  const few = recorder.group(`First calls, ${sample + 1} functions on the host`);
  const many = recorder.group(`First calls, ${functions + 1} functions on the host`);
  compareFirstCalls(run, few, many);
  const idle = idleMemory(run);
  const called: Point[] = [];
  const unknown = host.own ? "/proc does not tell" : "measured on a host of bench's own alone";
  recorder.figure(() => ({
    name: "memory per function once called",
    unit: "bytes",
    estimate: slopeOf(called),
    samples: called.length,
    note: called.length === 0 ? unknown : "readings while one after the other was called",
  }));
  await emptyStarts(run, starts, () => idle.observe(0));
  const copies = await copiesOf(target, functions + 1);
  const first = await deployCopies(run, copies.slice(0, sample + 1));
  await callEach(run, target, first, few, null);
  const rest = await deployCopies(run, copies.slice(sample + 1));
  const [warm = ""] = first;
  await callEach(run, target, [warm, ...rest.slice(0, sample)], many, null);
  await instanceMemory(run, target, instances);
  if (!host.own) return exitCodes.done;
  progress.step("restarting", starts);
  for (let start = 0; start < starts; start += 1) {
    run.signal.throwIfAborted();
    await host.restart(withoutThreads);
    await idle.observe(functions + 1);
    progress.done(start + 1);
  }
  const group: CallGroup = recorder.group("First calls, host just started: nothing is compiled", [
    "load",
    "compile",
  ]);
  await callEach(run, target, [...first, ...rest], group, called);
  return exitCodes.done;
}

/** The first one warms the host up; `memory` gets readings while the others are called. */
async function callEach(
  run: BenchRun,
  target: Target,
  names: readonly string[],
  group: CallGroup,
  memory: Point[] | null,
): Promise<void> {
  const { host, progress, signal } = run;
  const [first = "", ...others] = names;
  const caller = run.caller();
  await warmUp(run, caller, run.request(first, target), warmUpCalls);
  progress.step("calling copies", others.length);
  const every = Math.max(1, Math.round(others.length / readings));
  for (const [index, name] of others.entries()) {
    group.calls.push(await timedCall(caller, run.request(name, target), signal));
    progress.done(index + 1);
    if (memory === null || (index + 1) % every !== 0) continue;
    const reading = await host.memory();
    if (reading !== null) memory.push({ x: index + 1, y: reading.hostBytes });
  }
  caller.close();
}

function compareFirstCalls({ recorder }: BenchRun, few: CallGroup, many: CallGroup): void {
  recorder.figure(() => {
    const estimate = ratioOf(summarize(endToEndOf(many))?.p50, summarize(endToEndOf(few))?.p50);
    const name = "first call among many functions against few, p50";
    return estimate && { name, unit: "times", estimate, samples: many.calls.length };
  });
}
