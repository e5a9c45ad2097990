// `mayfly bench cold`: what a function's first call costs, phase by phase. Copies that differ in one
// constant are deployed and each is called once; then the host is restarted, so that nothing is
// compiled, and each is called once again.

import { flagOption } from "../command.ts";
import { exitCodes, WrongUsage } from "../failure.ts";
import { timedCall, waitFor, warmUp } from "./calling.ts";
import type { Caller } from "./calls.ts";
import { copiesOf, deployCopies } from "./copies.ts";
import { namesHost } from "./host-under-test.ts";
import {
  emptyStarts,
  type IdleMemory,
  idleMemory,
  instanceMemory,
  instancesOption,
  withoutThreads,
} from "./memory-figures.ts";
import { numberOption, readNumber } from "./options.ts";
import { summarize } from "./quantiles.ts";
import { ratioOf } from "./ratio.ts";
import { type CallGroup, endToEndOf, type Series } from "./recorder.ts";
import { type BenchDefinition, type BenchRun, benchCommand } from "./run.ts";
import type { Target } from "./target.ts";

const copiesOption = numberOption("copies", "copies to deploy, each called once cold", {
  ...{ default: 16, min: 1, max: 10_000 },
});
const startsOption = numberOption("starts", "restarts of bench's own host", {
  default: 6,
  min: 1,
  max: 1_000,
});
const laterOption = numberOption("later", "later calls of each copy", { default: 10, min: 1, max: 10_000 });

/** Starts of an empty host at most, whose memory is what that of one with functions is compared with. */
const emptyStartsMax = 3;
/** Calls before the first measured one, of a copy that is no part of the figures. */
const warmUpCalls = 200;
/** A thread is started beside the first one: the calls after it wait for that to be over. */
const threadsTimeoutMs = 2_000;

const definition: BenchDefinition = {
  name: "cold",
  args: "<function>",
  summary: "first calls: process, thread, module, instance and guest, each by itself",
  examples: ["mayfly bench cold hello.ts", "mayfly bench cold hello.wasm --restart --json cold.json"],
  notes:
    "A host of its own is also restarted, for what a start costs and what a call of a module that is not\n" +
    "compiled costs; with --restart no other first calls are measured.",
  options: [
    copiesOption,
    startsOption,
    laterOption,
    instancesOption,
    { flags: "--restart", meaning: "call the copies on a host that has just started alone" },
  ],
  plan(context) {
    const { options } = context;
    const settings = {
      copies: readNumber(options, copiesOption),
      starts: readNumber(options, startsOption),
      later: readNumber(options, laterOption),
      instances: readNumber(options, instancesOption),
      restart: flagOption(options, "restart"),
    };
    if (settings.restart && namesHost(context)) {
      throw new WrongUsage(
        "--restart restarts the host that bench starts itself, not one that --url or MAYFLY_URL names; leave one of the two away",
      );
    }
    return { settings, measure: (run, target) => new Cold(run, target, settings).measure() };
  },
};

export const benchCold = benchCommand(definition);

type Settings = {
  readonly copies: number;
  readonly starts: number;
  readonly later: number;
  readonly instances: number;
  readonly restart: boolean;
};

/** What one restart adds to. */
type Restarted = {
  readonly processStart: Series;
  readonly workerStart: Series;
  readonly restarted: CallGroup;
  readonly later: CallGroup | null;
  readonly memory: IdleMemory;
};

class Cold {
  readonly #run: BenchRun;
  readonly #target: Target;
  readonly #settings: Settings;

  constructor(run: BenchRun, target: Target, settings: Settings) {
    this.#run = run;
    this.#target = target;
    this.#settings = settings;
  }

  async measure(): Promise<number> {
    const { recorder, host } = this.#run;
    const { copies, starts, restart } = this.#settings;
    const own = host.own ? this.#announceStarts() : null;
    const deploys = recorder.series("deploy of a copy, 4 at a time");
    const deployed = restart
      ? null
      : recorder.group("First call of a copy, since its deploy: compiled by the deploy", ["load", "compile"]);
    const later = recorder.group("Later calls");
    this.#compare("since a deploy", deployed, later);
    this.#compare("on a host just started", own?.restarted ?? null, later);
    const memory = idleMemory(this.#run);
    await emptyStarts(this.#run, Math.min(starts, emptyStartsMax), async () => {
      own?.processStart.samples.push(host.startsMs.at(-1) ?? Number.NaN);
      await memory.observe(0);
    });
    const names = await this.#deploy(copies, deploys);
    if (deployed !== null) await this.#callDeployed(names, deployed, later);
    await instanceMemory(this.#run, this.#target, this.#settings.instances);
    if (own === null) {
      recorder.notes.push("Starts and compiling are measured on a host of bench's own: leave --url away.");
      return exitCodes.done;
    }
    this.#run.progress.step("restarting", starts);
    for (let start = 0; start < starts; start += 1) {
      await this.#callRestarted(names, { ...own, memory, later: restart ? later : null });
      this.#run.progress.done(start + 1);
    }
    return exitCodes.done;
  }

  #announceStarts(): Pick<Restarted, "processStart" | "workerStart" | "restarted"> {
    const { recorder } = this.#run;
    const title = "First call of a copy, host just started: nothing is compiled";
    return {
      processStart: recorder.series("process start"),
      workerStart: recorder.series("worker start"),
      restarted: recorder.group(title, ["load", "compile"]),
    };
  }

  /**
   * Two copies more than are measured: calls of the first always need a thread, and tell what starting one
   * costs; those of the second are the warm-up.
   */
  async #deploy(copies: number, deploys: Series): Promise<readonly string[]> {
    const all = await copiesOf(this.#target, copies + 2);
    const [first] = all;
    if (first !== undefined) all[0] = { ...first, config: { ...first.config, isolation: "reuse" } };
    return deployCopies(this.#run, all, (_, ms) => void deploys.samples.push(ms));
  }

  async #callDeployed(names: readonly string[], deployed: CallGroup, later: CallGroup): Promise<void> {
    const { progress } = this.#run;
    const [, warm = "", ...measured] = names;
    const caller = this.#run.caller();
    await warmUp(this.#run, caller, this.#run.request(warm, this.#target), warmUpCalls);
    progress.step("calling copies", measured.length);
    for (const [index, name] of measured.entries()) {
      await this.#callCopy(caller, name, deployed, later);
      progress.done(index + 1);
    }
    caller.close();
  }

  async #callRestarted(names: readonly string[], into: Restarted): Promise<void> {
    const { host, signal } = this.#run;
    signal.throwIfAborted();
    await host.restart(withoutThreads);
    into.processStart.samples.push(host.startsMs.at(-1) ?? Number.NaN);
    await into.memory.observe(names.length);
    const [threaded = "", , ...measured] = names;
    const caller = this.#run.caller();
    // There is no thread yet: the call waits in its queue until one has started.
    const { phases } = await timedCall(caller, this.#run.request(threaded, this.#target), signal);
    if (phases.queue !== undefined) into.workerStart.samples.push(phases.queue);
    await this.#threadsSettled();
    for (const name of measured) await this.#callCopy(caller, name, into.restarted, into.later);
    caller.close();
  }

  async #callCopy(caller: Caller, name: string, first: CallGroup, later: CallGroup | null): Promise<void> {
    const { signal } = this.#run;
    const request = this.#run.request(name, this.#target);
    first.calls.push(await timedCall(caller, request, signal));
    for (let call = 0; later !== null && call < this.#settings.later; call += 1) {
      later.calls.push(await timedCall(caller, request, signal));
    }
  }

  async #threadsSettled(): Promise<void> {
    const { host, signal } = this.#run;
    let before = -1;
    const settled = async (): Promise<boolean> => {
      const threads = (await host.gauges())?.threads ?? 0;
      const same = threads === before;
      before = threads;
      return same;
    };
    await waitFor(settled, threadsTimeoutMs, signal);
  }

  #compare(when: string, first: CallGroup | null, later: CallGroup): void {
    if (first === null) return;
    for (const part of ["p50", "p99"] as const) {
      this.#run.recorder.figure(() => {
        const estimate = ratioOf(summarize(endToEndOf(first))?.[part], summarize(endToEndOf(later))?.[part]);
        const name = `cold against warm ${when}, ${part}`;
        return estimate && { name, unit: "times", estimate, samples: first.calls.length };
      });
    }
  }
}
