// `mayfly bench throughput`: how many calls a second so many clients get, closed-loop: each sends its
// next call when it has its answer.

import { exitCodes } from "../failure.ts";
import { warmUp } from "./calling.ts";
import { closedLoop } from "./closed-loop.ts";
import { placed } from "./copies.ts";
import { seriesWarnings } from "./noise.ts";
import { numberOption, readNumber } from "./options.ts";
import { summarize } from "./quantiles.ts";
import { countRefusals, measuredCall } from "./refusals.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";

const clientsOption = numberOption("clients", "clients, a connection each", {
  default: 32,
  min: 1,
  max: 10_000,
});
const secondsOption = numberOption("seconds", "how long", {
  default: 10,
  min: 0.1,
  max: 3_600,
  fraction: true,
});

const warmUpCalls = 200;
/** A run is cut into so many rounds, each with a rate of its own. */
const rounds = 20;

type Settings = { readonly clients: number; readonly seconds: number };

const definition: BenchDefinition = {
  name: "throughput",
  args: "<function>",
  summary: "calls a second, of so many clients",
  examples: [
    "mayfly bench throughput hello.ts",
    "mayfly bench throughput hello.wasm --clients 8 --seconds 30",
  ],
  options: [clientsOption, secondsOption],
  plan({ options }) {
    const settings = {
      clients: readNumber(options, clientsOption),
      seconds: readNumber(options, secondsOption),
    };
    return { settings, measure: (run, target) => measure(run, target, settings) };
  },
};

export const benchThroughput = benchCommand(definition);

async function measure(run: BenchRun, target: Target, { clients, seconds }: Settings): Promise<number> {
  const { recorder, progress, signal } = run;
  const perSecond: number[] = [];
  recorder.figure(() => ({
    name: "calls a second",
    unit: "calls/s",
    estimate: summarize(perSecond)?.p50 ?? null,
    samples: perSecond.length,
    note: `median of rounds of ${((seconds * 1000) / rounds).toFixed(0)} ms`,
  }));
  const group = recorder.group(`Calls of ${clients} clients, closed-loop`);
  const refusals = countRefusals(run);
  const request = run.request(await placed(run, target, "throughput"), target);
  const caller = run.caller();
  await warmUp(run, caller, request, warmUpCalls);
  await caller.connect(clients);
  const call = measuredCall(caller, request, group, refusals);
  // A first round, with all connections at work, is not measured.
  await closedLoop({ clients, seconds: seconds / rounds, signal, call: () => call(false) });
  progress.step("calling", rounds);
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    const rate = await closedLoop({ clients, seconds: seconds / rounds, signal, call: () => call(true) });
    if (!signal.aborted) perSecond.push(rate);
    progress.done(round + 1);
  }
  signal.throwIfAborted();
  recorder.warnings.push(...seriesWarnings("calls a second", summarize(perSecond)));
  return exitCodes.done;
}
