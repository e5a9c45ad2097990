// `mayfly bench warm`: how long calls take at a rate, open-loop: each counts from the moment at which it
// was due, so that a host that stands still is charged with all that was due meanwhile.

import { CommandFailure, exitCodes } from "../failure.ts";
import { warmUp } from "./calling.ts";
import { assertSuccess, isRefusal, sampleOf } from "./calls.ts";
import { placed } from "./copies.ts";
import { openLoop } from "./open-loop.ts";
import { numberOption, readNumber } from "./options.ts";
import { quantile } from "./quantiles.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";

const rateOption = numberOption("rate", "calls a second", {
  ...{ default: 100, min: 0.1, max: 100_000, fraction: true },
});
const secondsOption = numberOption("seconds", "how long", {
  default: 10,
  min: 0.1,
  max: 3_600,
  fraction: true,
});
const connectionsOption = numberOption("connections", "calls under way at once at most", {
  ...{ default: 256, min: 1, max: 10_000 },
});

const warmUpCalls = 100;
const drainMs = 5_000;
/** A host that answers so much of the rate in the later half of the run holds it. */
const heldPart = 0.95;
/** The load generator's own lateness, from which on it is told. */
const lateMsMax = 1;

type Settings = { readonly rate: number; readonly seconds: number; readonly connections: number };

const definition: BenchDefinition = {
  name: "warm",
  args: "<function>",
  summary: "later calls: their times at a fixed rate",
  examples: ["mayfly bench warm hello.ts", "mayfly bench warm hello --url http://127.0.0.1:4747 --rate 500"],
  options: [rateOption, secondsOption, connectionsOption],
  plan({ options }) {
    const settings = {
      rate: readNumber(options, rateOption),
      seconds: readNumber(options, secondsOption),
      connections: readNumber(options, connectionsOption),
    };
    return { settings, measure: (run, target) => measure(run, target, settings) };
  },
};

export const benchWarm = benchCommand(definition);

async function measure(run: BenchRun, target: Target, settings: Settings): Promise<number> {
  const { recorder, progress, signal } = run;
  const { rate, seconds, connections } = settings;
  const group = recorder.group(`Calls at ${rate} a second, from the moment each was due`);
  const request = run.request(await placed(run, target, "warm"), target);
  const caller = run.caller();
  await warmUp(run, caller, request, warmUpCalls);
  await caller.connect(Math.min(connections, Math.ceil(rate)));
  progress.step("calling", rate * seconds);
  const endedAtMs: number[] = [];
  let refused = 0;
  const startMs = performance.now();
  const result = await openLoop({
    ...{ rate, seconds, atOnceMax: connections, drainMs, signal },
    async call(dueAtMs) {
      const exchange = await caller.send(request);
      if (isRefusal(exchange)) {
        refused += 1;
        return;
      }
      assertSuccess(request, exchange);
      group.calls.push(sampleOf(exchange, dueAtMs));
      endedAtMs.push(exchange.endedAtMs - startMs);
      progress.done(group.calls.length);
    },
  });
  signal.throwIfAborted();
  const held = heldRate(endedAtMs, seconds * 1000);
  recorder.figure(() => ({
    name: "calls answered a second",
    unit: "calls/s",
    estimate: { value: held, low: null, high: null },
    samples: endedAtMs.length,
    note: `of ${rate} asked`,
  }));
  const late = Float64Array.from(result.lateMs).sort();
  const lateP99 = quantile(late, 0.99);
  if (late.length > 0 && lateP99 > lateMsMax) {
    recorder.warnings.push(
      `bench itself sent calls late, by ${lateP99.toFixed(1)} ms at p99, which is in their times: the machine is busy, or the rate more than bench can send`,
    );
  }
  if (held >= heldPart * rate && refused === 0 && result.ended === result.due) return exitCodes.done;
  throw notHeld(rate, held, refused, result.due - result.ended);
}

/** Answers a second in the later half, when calls under way are as many at its start as at its end. */
export function heldRate(endedAtMs: readonly number[], lengthMs: number): number {
  const inLaterHalf = endedAtMs.filter((atMs) => atMs > lengthMs / 2 && atMs <= lengthMs);
  return inLaterHalf.length / (lengthMs / 2000);
}

function notHeld(rate: number, held: number, refused: number, unanswered: number): CommandFailure {
  const further = [
    refused === 0 ? "" : `, refused ${refused} calls`,
    unanswered === 0 ? "" : `, and left ${unanswered} unanswered`,
  ].join("");
  return new CommandFailure(
    "rate_not_held",
    `The host did not hold ${rate} calls a second: it answered ${held.toFixed(1)} a second${further}; ` +
      `the times are those of an overloaded host, ask for less with --rate`,
    { details: { rate, held, refused, unanswered } },
  );
}
