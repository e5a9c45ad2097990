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
/** A host that falls behind by so much of what is due in the later half of the run still holds the rate. */
const behindPart = 0.05;
/** And so many calls: that much may be under way at the end of a short run that happen not to be at its middle. */
const behindCalls = 3;
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
  const { held, perSecond } = heldRate(endedAtMs, rate, seconds * 1000);
  recorder.figure(() => ({
    name: "calls answered a second",
    unit: "calls/s",
    estimate: { value: perSecond, low: null, high: null },
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
  if (held && refused === 0 && result.ended === result.due) return exitCodes.done;
  throw notHeld(rate, perSecond, refused, result.due - result.ended);
}

/**
 * Whether the answers of the later half kept up with what was due in it, and how many there were a second:
 * the rate less that by which calls without an answer became more.
 */
export function heldRate(
  endedAtMs: readonly number[],
  rate: number,
  lengthMs: number,
): { readonly held: boolean; readonly perSecond: number } {
  const inLaterHalf = (atMs: number): boolean => atMs >= lengthMs / 2 && atMs < lengthMs;
  const due = Math.round((rate * lengthMs) / 1000);
  const dueLater = Math.max(0, due - Math.ceil((rate * lengthMs) / 2000));
  const behind = dueLater - endedAtMs.filter(inLaterHalf).length;
  return {
    held: behind <= Math.max(behindCalls, behindPart * dueLater),
    perSecond: rate - behind / (lengthMs / 2000),
  };
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
