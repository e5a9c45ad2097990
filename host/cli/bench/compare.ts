// `mayfly bench compare A B`: two versions side by side, in rounds of the same calls of each in turn, and
// whether B is slower beyond noise. With --max-regression the exit code says so.

import { textOption } from "../command.ts";
import { CommandFailure, exitCodes, WrongUsage } from "../failure.ts";
import { timedCall, warmUp } from "./calling.ts";
import type { Caller, CallSample, Request } from "./calls.ts";
import { placed } from "./copies.ts";
import { numberOption, readNumber, readPercent } from "./options.ts";
import { medianOf } from "./quantiles.ts";
import type { CallGroup } from "./recorder.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";
import { compareRounds } from "./verdict.ts";

const roundsOption = numberOption("rounds", "rounds", { default: 24, min: 7, max: 10_000 });
const callsOption = numberOption("calls", "calls of each version in a round", {
  default: 40,
  min: 1,
  max: 100_000,
});

const warmUpCalls = 100;

/** What of a call is compared. */
const measures = {
  "end-to-end": ({ endToEndMs }: CallSample) => endToEndMs,
  "guest-run": ({ phases }: CallSample) => phases.run ?? Number.NaN,
} as const;
type Measure = keyof typeof measures;

type Settings = {
  readonly rounds: number;
  readonly calls: number;
  readonly measure: Measure;
  readonly maxRegression: number | null;
};

const definition: BenchDefinition = {
  name: "compare",
  args: "<a> <b>",
  summary: "two versions side by side: is B slower beyond noise?",
  examples: [
    "mayfly bench compare old.wasm new.wasm --max-regression 10%",
    "mayfly bench compare hello@1 hello@2 --url http://127.0.0.1:4747",
  ],
  notes: "The exit code is 1 when B is slower than A by more than --max-regression beyond noise.",
  options: [
    roundsOption,
    callsOption,
    { flags: "--measure <what>", meaning: "end-to-end or guest-run (default end-to-end)" },
    {
      flags: "--max-regression <percent>",
      meaning: "exit 1 when B is slower by more than that, such as 10%",
    },
  ],
  plan({ options }) {
    const limit = textOption(options, "maxRegression");
    const settings = {
      rounds: readNumber(options, roundsOption),
      calls: readNumber(options, callsOption),
      measure: readMeasure(textOption(options, "measure") ?? "end-to-end"),
      maxRegression: limit === undefined ? null : readPercent(limit, "--max-regression"),
    };
    const { maxRegression, ...shown } = settings;
    return {
      settings: { ...shown, ...(maxRegression === null ? {} : { maxRegression }) },
      measure: (run, a, b) => measure(run, a, b ?? a, settings),
    };
  },
};

export const benchCompare = benchCommand(definition);

async function measure(run: BenchRun, a: Target, b: Target, settings: Settings): Promise<number> {
  const { recorder, progress, signal } = run;
  const ratios: number[] = [];
  recorder.figure(() => {
    if (ratios.length === 0) return null;
    const { ratio } = compareRounds(ratios, settings.maxRegression);
    return {
      name: "B against A",
      unit: "times",
      estimate: ratio,
      samples: ratios.length,
      note: "of rounds; 98 % interval",
    };
  });
  const groups = { a: recorder.group(`A: ${a.label}`), b: recorder.group(`B: ${b.label}`) };
  const caller = run.caller();
  const requests = {
    a: run.request(await placed(run, a, "a"), a),
    b: run.request(await placed(run, b, "b"), b),
  };
  await warmUp(run, caller, requests.a, warmUpCalls);
  await warmUp(run, caller, requests.b, warmUpCalls);
  progress.step("rounds", settings.rounds);
  for (let round = 0; round < settings.rounds; round += 1) {
    ratios.push(await ratioOfRound(caller, requests, groups, settings, signal));
    progress.done(round + 1);
  }
  const { verdict } = compareRounds(ratios, settings.maxRegression);
  recorder.verdict = verdict;
  return settings.maxRegression !== null && verdict.outcome === "slower" ? exitCodes.failed : exitCodes.done;
}

type Pair<T> = { readonly a: T; readonly b: T };

/** In turn A B B A A B B A …, so that neither is always called after the other; B's median by A's. */
async function ratioOfRound(
  caller: Caller,
  requests: Pair<Request>,
  groups: Pair<CallGroup>,
  { calls, measure }: Settings,
  signal: AbortSignal,
): Promise<number> {
  const values: Pair<number[]> = { a: [], b: [] };
  for (let call = 0; call < calls; call += 1) {
    for (const version of call % 2 === 0 ? (["a", "b"] as const) : (["b", "a"] as const)) {
      const sample = await timedCall(caller, requests[version], signal);
      groups[version].calls.push(sample);
      values[version].push(measures[measure](sample));
    }
  }
  const ratio = medianOf(values.b).value / medianOf(values.a).value;
  if (ratio > 0 && Number.isFinite(ratio)) return ratio;
  throw new CommandFailure(
    "not_comparable",
    `Cannot compare by ${measure}: a median of a round is below what the host times, or the answers carry no Server-Timing; compare end-to-end`,
  );
}

function readMeasure(text: string): Measure {
  if (text === "end-to-end" || text === "guest-run") return text;
  throw new WrongUsage(`--measure is ${JSON.stringify(text)}, want end-to-end or guest-run`);
}
