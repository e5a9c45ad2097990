// Runs the inspector process over one upload and reads its verdict: what it says, that it died, or
// that it took too long. A spare process is kept ready, because starting one costs more than the
// inspection. One that the system killed says nothing about the upload: another one is asked, once.
// Used by the supervisor for the host process, which may start none; in process by tests. What is asked passes
// through as bytes that nobody but the inspector reads.

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { serialize } from "node:v8";
import { inspectorFlags } from "../engine-flags.ts";
import { HostError } from "../errors.ts";
import type { FreshCosts } from "../function.ts";
import { limits } from "../limits.ts";
import type { InspectReply, InspectRequest } from "./inspector.ts";

export class Inspectors {
  #spare: ChildProcess | null = null;
  #closed = false;

  /** With a spare process. */
  static async open(this: void): Promise<Inspectors> {
    const inspectors = new Inspectors();
    inspectors.prepare();
    return inspectors;
  }

  /** Starts the spare process. */
  prepare(): void {
    if (this.#closed || this.#spare !== null) return;
    const spare = start();
    this.#spare = spare;
    spare.once("exit", () => {
      if (this.#spare === spare) this.#spare = null;
    });
  }

  /**
   * Resolves when the module compiled and instantiated, with what a fresh instance of it costs; else
   * throws the deploy's HostError.
   */
  async inspect(request: InspectRequest): Promise<FreshCosts> {
    const bytes = serialize(request);
    return this.inspectBytes(() => Readable.from([bytes]));
  }

  /** The same of a request that is serialised, wherever it comes from. */
  async inspectBytes(open: () => Readable): Promise<FreshCosts> {
    try {
      return await this.#ask(open());
    } catch (error) {
      if (!(error instanceof InspectorLost)) throw error;
      return this.#ask(open()).catch((again: unknown) => {
        throw again instanceof InspectorLost ? endedProcess(again) : again;
      });
    }
  }

  async #ask(request: Readable): Promise<FreshCosts> {
    const child = this.#spare ?? start();
    this.#spare = null;
    try {
      return await verdict(child, request);
    } finally {
      child.kill("SIGKILL");
      this.prepare();
    }
  }

  close(): void {
    this.#closed = true;
    this.#spare?.kill("SIGKILL");
  }
}

function start(): ChildProcess {
  const program = fileURLToPath(import.meta.resolve("./inspector.ts"));
  const child = spawn(process.execPath, [...inspectorFlags(), program], {
    env: {},
    stdio: ["pipe", "ignore", "ignore", "ipc"],
  });
  // A spare must not keep the process from ending.
  child.unref();
  child.channel?.unref();
  (child.stdin as Socket | null)?.unref();
  child.on("error", () => {});
  return child;
}

type Step = "compile" | "start";

/** What comes of writing to a process that has ended; its end says more. */
const endedCodes = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"]);

/** The process is gone, and it may not have been the upload's doing. */
class InspectorLost extends Error {
  readonly step: Step;
  readonly how: string;

  constructor(step: Step, how: string) {
    super(`The inspector is lost: ${how}`);
    this.step = step;
    this.how = how;
  }
}

function verdict(child: ChildProcess, request: Readable): Promise<FreshCosts> {
  return new Promise((resolve, reject) => {
    let step: Step = "compile";
    const refuse = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const late = (): void => refuse(tookTooLong(step));
    let timer = setTimeout(late, limits.inspectCompileTimeoutMs);
    child.on("message", (reply: InspectReply) => {
      switch (reply.step) {
        case "compiled":
          step = "start";
          clearTimeout(timer);
          timer = setTimeout(late, limits.inspectStartFunctionTimeoutMs);
          return;
        case "done":
          clearTimeout(timer);
          return resolve(reply.costs);
        case "invalid":
          return refuse(
            new HostError("invalid_module", `Cannot deploy: the module is not valid: ${reply.reason}`),
          );
        case "trapped":
          return refuse(
            new HostError("start_failed", `Cannot deploy: the trial instantiation failed: ${reply.reason}`),
          );
      }
    });
    // Not "exit": what it said before may lie unread in the pipe by then.
    child.on("close", (code, signal) => {
      const lost = new InspectorLost(step, signal ?? `exit code ${code}`);
      refuse(signal === "SIGKILL" ? lost : endedProcess(lost));
    });
    const { stdin } = child;
    // A process that could not be started has none; it is closed all the same.
    if (stdin === null) return;
    pipeline(request, stdin).catch((error: NodeJS.ErrnoException) => {
      if (!endedCodes.has(error.code ?? "")) refuse(error);
    });
  });
}

function endedProcess({ step, how }: InspectorLost): HostError {
  const doing = step === "compile" ? "compiling" : "instantiating";
  return new HostError(
    "unsupported_feature",
    `Cannot deploy: ${doing} the module ended the process that tried it (${how})`,
    { extra: { feature: "process-ending module" } },
  );
}

function tookTooLong(step: Step): HostError {
  return step === "compile"
    ? new HostError(
        "unsupported_feature",
        `Cannot deploy: compiling the module took longer than ${limits.inspectCompileTimeoutMs} ms`,
        { extra: { feature: "compile time" } },
      )
    : new HostError(
        "start_failed",
        `Cannot deploy: the start function ran longer than ${limits.inspectStartFunctionTimeoutMs} ms`,
      );
}
