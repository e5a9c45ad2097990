// The course of every bench command: what is wrong with the arguments, the host, the functions, then the
// measurement, and, however that ends, the clean-up and the report of what there is.

import { access, constants, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CommandContext, type CommandOption, type CommandSpec, textOption } from "../command.ts";
import { exitCodes } from "../failure.ts";
import { fileFailure } from "../function-source.ts";
import { requestTarget } from "../invoke-request.ts";
import { Caller, encodeRequest, type Request } from "./calls.ts";
import { Deployments, leftBehind } from "./deployments.ts";
import { type HostUnderTest, namesHost, openHost } from "./host-under-test.ts";
import { sharedOptions } from "./options.ts";
import { pageOf } from "./page/page.ts";
import { createProgress, type Progress } from "./progress.ts";
import { confidence } from "./quantiles.ts";
import { Recorder } from "./recorder.ts";
import { type Report, recordedReport } from "./report.ts";
import { printReport } from "./report-text.ts";
import { readTarget, type Target } from "./target.ts";

export type BenchRun = {
  readonly context: CommandContext;
  readonly host: HostUnderTest;
  readonly deployments: Deployments;
  readonly recorder: Recorder;
  readonly progress: Progress;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Connections to the host as it is now; closed with the run. */
  readonly caller: () => Caller;
  /** One call of a function on the host, of which `target` says what it sends. */
  readonly request: (name: string, target: Target) => Request;
};

export type BenchPlan = {
  /** What was asked for, for the report. */
  readonly settings: Report["settings"];
  /** Fills the recorder; the exit code for a run that went to its end. */
  readonly measure: (run: BenchRun, ...targets: [Target, ...Target[]]) => Promise<number>;
};

export type BenchDefinition = Pick<CommandSpec, "name" | "summary" | "examples" | "notes"> & {
  readonly args: "<function>" | "<a> <b>";
  readonly options: readonly CommandOption[];
  /** Reads the options; throws WrongUsage before anything is started. */
  readonly plan: (context: CommandContext) => BenchPlan;
};

export function benchCommand(definition: BenchDefinition): CommandSpec {
  const { plan, options, ...words } = definition;
  return {
    ...words,
    options: [...options, ...sharedOptions],
    usesHost: "orOwn",
    jsonFile: true,
    async run(args, context) {
      const planned = plan(context);
      await requireFolders(context);
      return new Course(definition.name, args, planned, context).run();
    },
  };
}

const interruptionGraceMs = 2_000;
/** An own host that gets the terminal's Ctrl-C may end before we hear of it. */
const interruptionLagMs = 300;

class Course {
  readonly #command: string;
  readonly #inputs: readonly string[];
  readonly #plan: BenchPlan;
  readonly #context: CommandContext;
  readonly #recorder = new Recorder();
  readonly #callers = new Set<Caller>();
  readonly #startedAtMs = Date.now();
  readonly #signal: AbortSignal;
  #host: HostUnderTest | null = null;
  #labels: readonly string[];

  constructor(command: string, inputs: readonly string[], plan: BenchPlan, context: CommandContext) {
    this.#command = command;
    this.#inputs = inputs;
    this.#labels = inputs;
    this.#plan = plan;
    this.#context = context;
    this.#signal = context.io.interruption();
  }

  async run(): Promise<number> {
    const given = namesHost(this.#context);
    let deployments: Deployments | null = null;
    let exitCode: number = exitCodes.done;
    let failure: { readonly error: unknown } | null = null;
    try {
      // Whichever is likely to fail sooner comes first.
      if (given) this.#host = await openHost(this.#context);
      const targets = await this.#targets();
      this.#signal.throwIfAborted();
      this.#host ??= await openHost(this.#context);
      const host = this.#host;
      deployments = new Deployments(host.client);
      const measured = this.#measure(host, deployments, targets);
      exitCode = await Promise.race([measured, this.#interrupted()]);
    } catch (error) {
      failure = { error };
    }
    if (failure !== null && this.#host?.own === true) await waitForAbort(this.#signal, interruptionLagMs);
    const interrupted = this.#signal.aborted;
    const url = this.#host?.url();
    const isClean = await this.#cleanUp(deployments);
    if (url !== undefined) await this.#report(url, interrupted, failure?.error);
    if (interrupted) {
      this.#context.output.note(`Interrupted${isClean ? ": what bench deployed is removed" : ""}`);
      return exitCodes.interrupted;
    }
    if (failure !== null) throw failure.error;
    return exitCode;
  }

  /** Rejects some time after an interrupt: what is under way ends by itself within it, on a host that answers. */
  #interrupted(): Promise<never> {
    return new Promise((_, reject) => {
      const ended = (): void => {
        this.#closeCallers();
        setTimeout(() => reject(this.#signal.reason), interruptionGraceMs).unref();
      };
      this.#signal.addEventListener("abort", ended, { once: true });
    });
  }

  #closeCallers(): void {
    for (const caller of this.#callers) caller.close();
  }

  async #targets(): Promise<[Target, ...Target[]]> {
    const host = this.#host;
    const client = host && (() => host.client());
    const targets: Target[] = [];
    for (const input of this.#inputs) targets.push(await readTarget(input, this.#context, client));
    const [first, ...rest] = targets;
    if (first === undefined) throw new Error("commander has made sure of an argument");
    this.#labels = targets.map(({ label }) => label);
    return [first, ...rest];
  }

  async #measure(
    host: HostUnderTest,
    deployments: Deployments,
    targets: [Target, ...Target[]],
  ): Promise<number> {
    const progress = createProgress(this.#context.output);
    try {
      return await this.#plan.measure(
        {
          context: this.#context,
          host,
          deployments,
          recorder: this.#recorder,
          progress,
          signal: this.#signal,
          caller: () => {
            const caller = new Caller(host.url());
            this.#callers.add(caller);
            return caller;
          },
          request: (name, { path, template }) =>
            encodeRequest(host.url(), name, requestTarget(name, path), template),
        },
        ...targets,
      );
    } finally {
      progress.clear();
    }
  }

  /** Whether nothing is left of what was deployed. */
  async #cleanUp(deployments: Deployments | null): Promise<boolean> {
    this.#closeCallers();
    const host = this.#host;
    if (host === null) return true;
    // What is on a host of its own goes with it.
    const left = host.own ? [] : ((await deployments?.removeAll()) ?? []);
    if (left.length > 0) this.#context.output.note(leftBehind(left, host.url().href.replace(/\/$/, "")));
    await host.close();
    return left.length === 0;
  }

  async #report(url: URL, interrupted: boolean, error: unknown): Promise<void> {
    const { output } = this.#context;
    const ended = interrupted || error !== undefined;
    if (ended && this.#recorder.isEmpty) return;
    const seconds = (Date.now() - this.#startedAtMs) / 1000;
    const report: Report = {
      tool: "mayfly bench",
      command: this.#command,
      functions: this.#labels,
      startedAt: new Date(this.#startedAtMs).toISOString(),
      seconds,
      machine: describeMachine(),
      host: { url: url.origin, own: this.#host?.own ?? false },
      settings: this.#plan.settings,
      partial: ended ? partialReason(interrupted, error, seconds) : null,
      confidence,
      ...recordedReport(this.#recorder),
    };
    printReport(report, output);
    output.value(report);
    const json = textOption(this.#context.options, "json");
    const html = textOption(this.#context.options, "html");
    if (json !== undefined) await this.#write(json, `${JSON.stringify(report, null, 2)}\n`);
    if (html !== undefined) await this.#write(html, pageOf(report));
  }

  async #write(file: string, content: string): Promise<void> {
    try {
      await writeFile(resolve(this.#context.io.cwd, file), content);
    } catch (error) {
      throw fileFailure("write", file, error);
    }
    this.#context.output.note(`Wrote ${file}`);
  }
}

function partialReason(interrupted: boolean, error: unknown, seconds: number): string {
  const when = `after ${seconds.toFixed(1)} s`;
  if (interrupted) return `interrupted ${when}; these are the figures until then`;
  const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  return `ended ${when}: ${why}`;
}

/** Before anything is measured for files that cannot be written. */
async function requireFolders({ options, io }: CommandContext): Promise<void> {
  for (const option of ["json", "html"]) {
    const file = textOption(options, option);
    if (file === undefined) continue;
    try {
      await access(dirname(resolve(io.cwd, file)), constants.W_OK);
    } catch (error) {
      throw fileFailure("write", file, error);
    }
  }
}

async function waitForAbort(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return;
  await sleep(ms, undefined, { signal }).catch(() => {});
}

function describeMachine(): Report["machine"] {
  const model = cpus()[0]?.model.trim() ?? "";
  return {
    processors: `${availableParallelism()} x ${model === "" ? "unknown processor" : model}`,
    platform: `${process.platform}-${process.arch}`,
    node: `Node ${process.versions.node}`,
  };
}
