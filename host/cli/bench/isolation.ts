// `mayfly bench isolation`: what each setting of the isolation dial costs this function: copies that
// differ in it, asked in turn, so that what the machine does beside it meets all of them.

import { exitCodes } from "../failure.ts";
import { warmUp } from "./calling.ts";
import { closedLoop } from "./closed-loop.ts";
import { copiesOf } from "./copies.ts";
import { numberOption, readNumber } from "./options.ts";
import { medianOf } from "./quantiles.ts";
import { countRefusals, measuredCall } from "./refusals.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import { shiftOf } from "./signed-rank.ts";
import type { Target } from "./target.ts";

const clientsOption = numberOption("clients", "clients, a connection each", {
  default: 16,
  min: 1,
  max: 10_000,
});
const roundsOption = numberOption("rounds", "rounds, each of all settings in turn", {
  ...{ default: 10, min: 1, max: 1_000 },
});
const secondsOption = numberOption("seconds", "how long each setting is asked in a round", {
  ...{ default: 0.4, min: 0.01, max: 600, fraction: true },
});

/** The first one is what the others are compared with. */
const isolations = ["fresh", "snapshot", "reuse", "dedicated"] as const;
const warmUpCalls = 100;
/** Of each of the two bounds of a ratio. */
const alpha = 0.025;

type Settings = { readonly clients: number; readonly rounds: number; readonly seconds: number };

const definition: BenchDefinition = {
  name: "isolation",
  args: "<function>",
  summary: "what fresh, snapshot, reuse and dedicated instances cost",
  examples: ["mayfly bench isolation hello.ts", "mayfly bench isolation hello.wasm --rounds 20"],
  options: [clientsOption, roundsOption, secondsOption],
  plan({ options }) {
    const settings = {
      clients: readNumber(options, clientsOption),
      rounds: readNumber(options, roundsOption),
      seconds: readNumber(options, secondsOption),
    };
    return { settings, measure: (run, target) => measure(run, target, settings) };
  },
};

export const benchIsolation = benchCommand(definition);

async function measure(run: BenchRun, target: Target, settings: Settings): Promise<number> {
  const { recorder, progress, signal, deployments } = run;
  const { clients, rounds, seconds } = settings;
  const refusals = countRefusals(run);
  const rates = isolations.map((isolation) => ({ isolation, perSecond: [] as number[] }));
  const fresh = rates[0]?.perSecond ?? [];
  for (const { isolation, perSecond } of rates) announce(run, isolation, perSecond, fresh);
  const copies = await copiesOf(target, isolations.length);
  progress.step("deploying", copies.length);
  const calls: ((recorded: boolean) => Promise<void>)[] = [];
  const caller = run.caller();
  for (const [index, copy] of copies.entries()) {
    signal.throwIfAborted();
    const isolation = isolations[index] ?? "fresh";
    const config = { ...copy.config, isolation };
    const { name } = await deployments.deploy({ ...copy, suffix: isolation, config });
    const request = run.request(name, target);
    await warmUp(run, caller, request, warmUpCalls);
    calls.push(measuredCall(caller, request, recorder.group(`Calls with isolation ${isolation}`), refusals));
    progress.done(index + 1);
  }
  progress.step("rounds", rounds);
  // The first round warms all of them up.
  for (let round = -1; round < rounds; round += 1) {
    for (let turn = 0; turn < calls.length; turn += 1) {
      // Another one begins each round: none is always first after a rest.
      const index = (round + 1 + turn) % calls.length;
      const call = calls[index] ?? (() => Promise.resolve());
      const recorded = round >= 0;
      const rate = await closedLoop({ clients, seconds, signal, call: () => call(recorded) });
      signal.throwIfAborted();
      if (recorded) rates[index]?.perSecond.push(rate);
    }
    progress.done(round + 1);
  }
  return exitCodes.done;
}

function announce(
  { recorder }: BenchRun,
  isolation: (typeof isolations)[number],
  perSecond: readonly number[],
  fresh: readonly number[],
): void {
  recorder.figure(() => ({
    name: `${isolation}: calls a second`,
    unit: "calls/s",
    estimate: perSecond.length === 0 ? null : medianOf(perSecond),
    samples: perSecond.length,
    note: "median of rounds",
  }));
  if (isolation === isolations[0]) return;
  recorder.figure(() => {
    const ratios = perSecond.flatMap((rate, round) => {
      const base = fresh[round];
      return base === undefined || !(base > 0) || !(rate > 0) ? [] : [Math.log(rate / base)];
    });
    if (ratios.length === 0) return null;
    const { value, low, high } = shiftOf(ratios, alpha);
    return {
      name: `${isolation} against ${isolations[0]}`,
      unit: "times",
      estimate: { value: Math.exp(value), low: low && Math.exp(low), high: high && Math.exp(high) },
      samples: ratios.length,
      note: "of the calls a second, round by round",
    };
  });
}
