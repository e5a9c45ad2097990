// All control flow of a call, from a resolved deployment to its outcome:
//
//   429 503  admit        a permit of the function and the host, or a wait for one
//   500      load         the compiled module
//   504      schedule     waits for a thread; stopped at its deadline wherever it is
//   502 503  run          in a worker, in a fresh instance
//   -        answer       the response message and the timings
//
// A call that is known to be short, finds nobody before it and its module loaded runs at once, on this
// thread (inline-calls.ts); when that comes to nothing it goes the whole way.
//
// Knows no HTTP: it takes a request message and gives a response message.

import { CallAbandoned, type ErrorCode, HostError, type HostErrorOptions } from "../errors.ts";
import type { Deployment } from "../function.ts";
import {
  type ErrandContext,
  type ErrandKind,
  type ErrandReply,
  type GuestLogLine,
  type LogLine,
  monotonicMs,
  type Timings,
} from "../invocation.ts";
import type { Trace } from "../trace-context.ts";
import { setupKey } from "../worker/protocol.ts";
import type { Admission } from "./admission.ts";
import { timingsOf } from "./call-timings.ts";
import { Deadline } from "./deadline.ts";
import type { InlineCalls } from "./inline-calls.ts";
import { moduleSetup, pagesPerMb, type SecretsOf } from "./module-setup.ts";
import type { LoadedModule, ModuleLoad, Modules } from "./modules.ts";
import type { PoolCall, PoolOutcome } from "./pool.ts";
import type { Scheduler } from "./scheduler.ts";
import { StreamedCall, type StreamedRequest } from "./streamed-call.ts";

export type InvokeRequest = {
  readonly deployment: Deployment;
  readonly requestId: string;
  readonly message: Uint8Array;
  /** How many calls of functions led here: 0 for one that came over HTTP. */
  readonly depth: number;
  /** The functions whose calls led here without leaving the host; none unless given. */
  readonly callers?: readonly string[];
  /** Less time than the function's own limit, for a caller that has no more. */
  readonly timeoutMs?: number;
  /** How much of the time has passed: a request takes time to come. */
  readonly elapsedMs?: number;
  /** Calls `onGone` when nobody waits for the answer any more; disposing ends that. */
  readonly watchGone: (onGone: () => void) => Disposable;
  /** What its module took to load, where that was done before. */
  readonly load?: ModuleLoad | undefined;
  /** The trace that it is part of, which its guest's own calls go on with. */
  readonly trace?: Trace | null;
} & StreamedRequest;

export type InvokeAnswer = {
  /** Null when the answer went to the request's `onAnswer` as it came. */
  readonly message: Uint8Array | null;
  readonly timings: Timings;
};

export type InvokerParts = {
  readonly admission: Admission;
  readonly modules: Pick<Modules, "get" | "kept">;
  /** Null where no guest may run on the main thread. */
  readonly inline: Pick<InlineCalls, "mayTry" | "run" | "onThread"> | null;
  readonly scheduler: Pick<Scheduler, "enqueue" | "enqueueAgain" | "ended" | "stop">;
  readonly secretsOf: SecretsOf;
  /** Holds a call's memory against the quota of its namespace, if there is one; throws `quota_exceeded`. */
  readonly holdMemory: (deployment: Deployment) => Disposable | null;
  readonly log: (deployment: Deployment, line: LogLine) => void;
  /** Whether a version is still there: its bytes go with it. */
  readonly exists: (versionId: number) => boolean;
  /** What a guest has done on this thread while it waits. */
  readonly errands: Readonly<
    Record<ErrandKind, (context: ErrandContext, message: Uint8Array) => Promise<ErrandReply>>
  >;
  /** A suspect's call has ended without a crash. */
  readonly onCleared: (versionId: number) => void;
};

/** A call that failed once it had been admitted, with what took place until then. */
export class InvokeError extends HostError {
  readonly timings: Timings;

  constructor(code: ErrorCode, message: string, timings: Timings, options: HostErrorOptions = {}) {
    super(code, message, options);
    this.timings = timings;
  }
}

/** A call that nobody waited for any more, with what took place until then. */
export class InvokeAbandoned extends CallAbandoned {
  readonly timings: Timings;

  constructor(message: string, timings: Timings) {
    super(message);
    this.timings = timings;
  }
}

export class Invoker {
  readonly #parts: InvokerParts;

  constructor(parts: InvokerParts) {
    this.#parts = parts;
  }

  /**
   * Runs one call to its end; rejects with HostError with a code of docs/errors.md, or CallAbandoned. No
   * promise when the call has ended already.
   */
  invoke(request: InvokeRequest): InvokeAnswer | Promise<InvokeAnswer> {
    const acceptedAtMs = monotonicMs();
    const { deployment } = request;
    const { admission, modules, inline } = this.#parts;
    if (
      request.body === undefined &&
      inline?.mayTry(deployment) === true &&
      admission.mayRunNow(deployment)
    ) {
      const loaded = modules.kept(deployment);
      const leftMs = timeoutOf(request) - (request.elapsedMs ?? 0);
      const answer = loaded && this.#inline(request, { loaded }, leftMs, acceptedAtMs);
      if (answer) return answer;
    }
    return this.#invoke(request, acceptedAtMs);
  }

  /** The module of a version that is called, for what has to be known of it before the call begins. */
  load(deployment: Deployment): ModuleLoad | Promise<ModuleLoad> {
    const load = this.#parts.modules.get(deployment);
    if (!(load instanceof Promise)) return load;
    return load.catch((error: unknown) => {
      const { id, name, version } = deployment;
      if (error instanceof HostError || this.#parts.exists(id)) throw error;
      throw new HostError("function_not_found", `"${name}@${version}" was removed while the call waited`, {
        cause: error,
      });
    });
  }

  async #invoke(request: InvokeRequest, acceptedAtMs: number): Promise<InvokeAnswer> {
    const { deployment } = request;
    const deadline = new Deadline(timeoutOf(request), deployment.name, request.elapsedMs);
    using _gone = request.watchGone(() => deadline.end(new CallAbandoned("The client went away")));
    try {
      const admitted = this.#parts.admission.admit(
        deployment,
        (leave) => deadline.onEnded(leave),
        request.callers,
      );
      using _permit = admitted instanceof Promise ? await admitted : admitted;
      using _memory = this.#parts.holdMemory(deployment);
      const found = request.load ?? this.load(deployment);
      const load = found instanceof Promise ? await deadline.race(found) : found;
      assertMemoryFits(deployment, load.loaded);
      const isWhole = request.body === undefined;
      if (isWhole && load.loadMs !== undefined && this.#parts.inline?.mayTry(deployment) === true) {
        const answer = this.#inline(request, load, deadline.remainingMs, acceptedAtMs);
        if (answer !== null) return answer;
      }
      const streams = new StreamedCall(request, load, acceptedAtMs, deadline);
      const outcome = await this.#run(request, load.loaded, deadline, streams);
      if (deadline.ended instanceof CallAbandoned) {
        const timings = timingsOf(outcome, load, acceptedAtMs);
        throw this.#abandoned(request, outcome, deadline.ended, timings);
      }
      return this.#answer(request, outcome, load, acceptedAtMs, streams);
    } finally {
      deadline.clear();
    }
  }

  /** Runs a call on this thread, whole; null when that came to nothing, and nobody has seen anything of it. */
  #inline(
    request: InvokeRequest,
    load: ModuleLoad,
    leftMs: number,
    acceptedAtMs: number,
  ): InvokeAnswer | null {
    const { deployment, message } = request;
    if (!memoryFits(deployment, load.loaded)) return null;
    const setup = moduleSetup(deployment, load.loaded, this.#parts.secretsOf);
    const answer = this.#parts.inline?.run({ deployment, setup, message, leftMs }) ?? null;
    if (answer === null) return null;
    for (const line of answer.lines) this.#log(request, line);
    // As `#answer` does, with no object but the one that is kept: this is where most calls come by.
    const { instantiate, run, cpu, pageMs, hostCalls } = answer.timings;
    const queue = answer.begunAtMs - acceptedAtMs - (load.loadMs ?? 0) - (load.compileMs ?? 0);
    const timings: Timings = { queue: Math.max(0, queue), instantiate, run, cpu, pageMs, hostCalls };
    if (load.loadMs !== undefined) timings.load = load.loadMs;
    if (load.compileMs !== undefined) timings.compile = load.compileMs;
    return { message: answer.message, timings };
  }

  /** Schedules the call; when its thread ended before it began, again. */
  #run(
    request: InvokeRequest,
    loaded: LoadedModule,
    deadline: Deadline,
    streams: StreamedCall,
  ): Promise<PoolOutcome> {
    const { scheduler, onCleared, errands } = this.#parts;
    const { deployment, requestId, depth, trace = null } = request;
    return new Promise((resolve) => {
      const call: PoolCall = {
        key: setupKey(deployment.id, deployment.configRevision),
        ownThreads: !deployment.metered || deployment.config.isolation === "dedicated",
        metered: deployment.metered,
        versionId: deployment.id,
        functionName: deployment.name,
        message: request.message,
        setup: moduleSetup(deployment, loaded, this.#parts.secretsOf),
        streams,
        log: (line) => this.#log(request, line),
        errand: (kind, message, signal) => {
          const remainingMs = (): number => deadline.remainingMs;
          const callers = [...(request.callers ?? []), deployment.name];
          const context = { deployment, requestId, depth, callers, remainingMs, signal, trace };
          return errands[kind](context, message);
        },
        settle: (outcome) => {
          if (outcome.kind === "returned" && deadline.ended === null) return scheduler.enqueueAgain(call);
          if (outcome.kind === "answered") this.#parts.inline?.onThread(deployment, heldMs(outcome.timings));
          const cleared = scheduler.ended(call, survived(outcome));
          if (cleared) onCleared(deployment.id);
          resolve(outcome);
        },
      };
      scheduler.enqueue(call);
      deadline.onEnded((error) => {
        if (streams.failure !== null) scheduler.stop(call, "stream_failed");
        else scheduler.stop(call, error instanceof CallAbandoned ? "client_gone" : "deadline_exceeded");
      });
    });
  }

  /** Says in the function's log what became of a call that had begun to run. */
  #abandoned(
    request: InvokeRequest,
    outcome: PoolOutcome,
    { message }: CallAbandoned,
    timings: Timings,
  ): InvokeAbandoned {
    if (outcome.kind === "stopped" && outcome.runMs !== null) {
      this.#log(request, { timeMs: Date.now(), level: "info", message: "stopped: the client went away" });
    }
    return new InvokeAbandoned(message, timings);
  }

  #answer(
    request: InvokeRequest,
    outcome: PoolOutcome,
    load: ModuleLoad,
    acceptedAtMs: number,
    streams: StreamedCall | null = null,
  ): InvokeAnswer {
    const { config, name } = request.deployment;
    const timings = timingsOf(outcome, load, acceptedAtMs);
    const failure = streams?.failure ?? null;
    if (failure !== null) {
      this.#log(request, { timeMs: Date.now(), level: "error", message: `stopped: ${failure.message}` });
      throw new InvokeError(failure.code, failure.message, timings, again(failure));
    }
    switch (outcome.kind) {
      case "answered":
        return { message: outcome.message, timings };
      case "streamed":
        return { message: streams?.answer() ?? null, timings };
      case "failed":
        throw new InvokeError(
          outcome.code,
          `Function "${name}": ${outcome.detail}`,
          timings,
          outcome.code === "overloaded" ? { retryAfterS: 1 } : {},
        );
      case "stopped": {
        if (outcome.code === "client_gone" || outcome.code === "stream_failed") {
          throw new InvokeAbandoned("The client went away", timings);
        }
        const limit = outcome.code === "cpu_exceeded" ? `${config.cpuMs} ms of CPU time` : limitText(request);
        const message = `Function "${name}" ran longer than its limit of ${limit}`;
        this.#log(request, { timeMs: Date.now(), level: "error", message: `stopped: ${message}` });
        throw new InvokeError(outcome.code, message, timings);
      }
      case "lost":
        throw new InvokeError("worker_lost", `The thread that ran "${name}" ended under the call`, timings, {
          retryAfterS: 1,
        });
      case "returned":
        throw new InvokeError(
          "deadline_exceeded",
          `Function "${name}" waited longer than its limit of ${limitText(request)}`,
          timings,
        );
    }
  }

  #log(request: InvokeRequest, line: GuestLogLine): void {
    this.#parts.log(request.deployment, {
      time: new Date(line.timeMs).toISOString(),
      level: line.level,
      requestId: request.requestId,
      version: request.deployment.version,
      message: line.message,
    });
  }
}

/** The wall-clock limit of a call, ms. */
function timeoutOf({ deployment, timeoutMs = Number.POSITIVE_INFINITY }: InvokeRequest): number {
  return Math.min(deployment.config.timeoutMs, timeoutMs);
}

function limitText(request: InvokeRequest): string {
  const isOwn = timeoutOf(request) === request.deployment.config.timeoutMs;
  return `${Math.round(timeoutOf(request))} ms${isOwn ? "" : ", which its caller had left"}`;
}

/** Whether the guest ran and the process lived on, which clears its version of suspicion. */
function survived(outcome: PoolOutcome): boolean {
  if (outcome.kind === "stopped") return outcome.runMs !== null;
  return outcome.kind === "answered" || outcome.kind === "streamed" || outcome.kind === "failed";
}

function again({ retryAfterS }: HostError): HostErrorOptions {
  return retryAfterS === undefined ? {} : { retryAfterS };
}

/** How long a call held its thread, ms; null when it left it to wait. */
function heldMs({ instantiate = 0, run = 0, wait }: Timings): number | null {
  return wait === undefined ? instantiate + run : null;
}

/** The limit may have been lowered since the deploy checked the module against it. */
function memoryFits({ config }: Deployment, { memory }: LoadedModule): boolean {
  return (memory?.initialPages ?? 0) <= config.memoryMb * pagesPerMb;
}

function assertMemoryFits(deployment: Deployment, loaded: LoadedModule): void {
  if (memoryFits(deployment, loaded)) return;
  const pages = loaded.memory?.initialPages ?? 0;
  const { memoryMb } = deployment.config;
  throw new HostError(
    "memory_exceeded",
    `Function "${deployment.name}" starts with ${pages} pages of memory, its limit is ${memoryMb * pagesPerMb} (${memoryMb} MiB)`,
  );
}
