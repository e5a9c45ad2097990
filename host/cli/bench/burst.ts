// `mayfly bench burst`: from nothing to many calls at the same moment, and how threads and queue follow.

import { setTimeout as sleep } from "node:timers/promises";
import { CommandFailure, exitCodes } from "../failure.ts";
import { warmUp } from "./calling.ts";
import { assertSuccess, type Caller, isRefusal, type Request, sampleOf } from "./calls.ts";
import { placed } from "./copies.ts";
import { numberOption, readNumber } from "./options.ts";
import { medianOf } from "./quantiles.ts";
import type { CallGroup, TimelinePoint } from "./recorder.ts";
import { countRefusals, type Refusals } from "./refusals.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";

const callsOption = numberOption("calls", "calls at the same moment", { default: 500, min: 1, max: 10_000 });
const burstsOption = numberOption("bursts", "bursts, with a rest after each", {
  default: 6,
  min: 1,
  max: 1_000,
});
const restOption = numberOption("rest", "rest after a burst, s", {
  ...{ default: 0.5, min: 0, max: 600, fraction: true },
});

const warmUpCalls = 50;
/** Before the first burst: how the host is without one. */
const beforeMs = 100;
/** Between two readings of the host's gauges. */
const readingMs = 10;

type Settings = { readonly calls: number; readonly bursts: number; readonly rest: number };

const definition: BenchDefinition = {
  name: "burst",
  args: "<function>",
  summary: "many calls at the same moment, and how the host's threads and queue follow",
  examples: ["mayfly bench burst hello.ts --html burst.html", "mayfly bench burst hello.wasm --calls 2000"],
  notes:
    "A function takes `concurrency` calls at once and `queue` more (mayfly config); beyond that it is 429.",
  options: [callsOption, burstsOption, restOption],
  plan({ options }) {
    const settings = {
      calls: readNumber(options, callsOption),
      bursts: readNumber(options, burstsOption),
      rest: readNumber(options, restOption),
    };
    return { settings, measure: (run, target) => new Burst(run, settings).measure(target) };
  },
};

export const benchBurst = benchCommand(definition);

class Burst {
  readonly #run: BenchRun;
  readonly #settings: Settings;
  readonly #group: CallGroup;
  readonly #refusals: Refusals;
  readonly #firstMs: number[] = [];
  readonly #lastMs: number[] = [];
  #unanswered = 0;

  constructor(run: BenchRun, settings: Settings) {
    this.#run = run;
    this.#settings = settings;
    this.#group = run.recorder.group(`Calls of bursts of ${settings.calls}, from the burst's beginning`);
    const ofBursts = (name: string, samples: readonly number[]): void =>
      run.recorder.figure(() => {
        const estimate = samples.length === 0 ? null : medianOf(samples);
        return { name, unit: "ms", estimate, samples: samples.length, note: "median of the bursts" };
      });
    ofBursts("first answer after", this.#firstMs);
    ofBursts("last answer after", this.#lastMs);
    const most = (name: string, unit: "threads" | "calls", read: (point: TimelinePoint) => number): void =>
      run.recorder.figure(() => {
        const { timeline } = run.recorder;
        const value = timeline.reduce((max, point) => Math.max(max, read(point)), 0);
        const estimate = timeline.length === 0 ? null : { value, low: null, high: null };
        const note = timeline.length === 0 ? "the host does not show its gauges" : "highest reading";
        return { name, unit, estimate, samples: timeline.length, note };
      });
    most("threads", "threads", ({ threads }) => threads);
    most("calls that waited for a thread", "calls", ({ waiting }) => waiting);
    this.#refusals = countRefusals(run);
  }

  async measure(target: Target): Promise<number> {
    const { progress, signal } = this.#run;
    const { calls, bursts, rest } = this.#settings;
    const request = this.#run.request(await placed(this.#run, target, "burst"), target);
    const caller = this.#run.caller();
    await warmUp(this.#run, caller, request, warmUpCalls);
    await caller.connect(calls);
    const startMs = performance.now();
    let over = false;
    const watched = this.#watch(startMs, () => over);
    try {
      progress.step("bursts", bursts);
      await sleep(beforeMs, undefined, { signal });
      for (let burst = 0; burst < bursts; burst += 1) {
        signal.throwIfAborted();
        await this.#burst(caller, request);
        await sleep(rest * 1000, undefined, { signal });
        progress.done(burst + 1);
      }
    } finally {
      over = true;
      await watched;
    }
    if (this.#refusals.count === 0) return exitCodes.done;
    throw new CommandFailure(
      "calls_refused",
      `The host refused ${this.#refusals.count} of ${calls * bursts} calls, which have no times here; ` +
        "send fewer with --calls, or raise concurrency and queue with --config",
      { details: { refused: this.#refusals.count, calls: calls * bursts } },
    );
  }

  async #burst(caller: Caller, request: Request): Promise<void> {
    this.#group.burstsFrom.push(this.#group.calls.length);
    const startMs = performance.now();
    let firstMs = Number.POSITIVE_INFINITY;
    const call = async (): Promise<void> => {
      this.#unanswered += 1;
      try {
        const exchange = await caller.send(request);
        firstMs = Math.min(firstMs, exchange.endedAtMs - startMs);
        if (isRefusal(exchange)) {
          this.#refusals.count += 1;
          return;
        }
        assertSuccess(request, exchange);
        this.#group.calls.push(sampleOf(exchange, startMs));
      } finally {
        this.#unanswered -= 1;
      }
    };
    await Promise.all(Array.from({ length: this.#settings.calls }, call));
    this.#firstMs.push(firstMs);
    this.#lastMs.push(performance.now() - startMs);
  }

  async #watch(startMs: number, isOver: () => boolean): Promise<void> {
    const { host, recorder, signal } = this.#run;
    while (!isOver() && !signal.aborted) {
      const gauges = await host.gauges();
      if (gauges === null) return;
      const { threads, liveCalls: live, waitingCalls: waiting } = gauges;
      // A busy host answers late, and says how it is when it does.
      const atMs = performance.now() - startMs;
      recorder.timeline.push({ atMs, threads, unanswered: this.#unanswered, live, waiting });
      await sleep(readingMs);
    }
  }
}
