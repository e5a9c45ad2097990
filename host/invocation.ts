// The nouns of one call: what is asked of a guest and what came of it. No I/O.

import { performance } from "node:perf_hooks";
import type { ErrorCode } from "./errors.ts";
import type { Deployment } from "./function.ts";
import type { Trace } from "./trace-context.ts";

/** Milliseconds of each phase that took place, and what the guest used. */
export type Timings = {
  queue?: number;
  load?: number;
  compile?: number;
  instantiate?: number;
  run?: number;
  wait?: number;
  /** CPU time of the guest, not a phase: what counts against `cpuMs`. */
  cpu?: number;
  /** Memory that it held, over time: pages of 64 KiB times milliseconds. */
  pageMs?: number;
  /** Host calls that it made. */
  hostCalls?: number;
};

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A line as the guest wrote it; the invoker adds request id and version. */
export type GuestLogLine = { readonly timeMs: number; readonly level: LogLevel; readonly message: string };

/** A line as it is kept and shown. */
export type LogLine = {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly requestId: string;
  readonly version: number;
  readonly message: string;
};

/** How a guest can break the rules, or end without an answer. */
export type GuestFaultCode = Extract<
  ErrorCode,
  | "guest_trapped"
  | "bad_guest_output"
  | "program_failed"
  | "no_cgi_headers"
  | "bad_cgi_headers"
  | "body_too_large"
  | "overloaded"
>;

/** What a worker answers for one call. */
export type CallResult =
  /** The call had been taken back before it began. */
  | { readonly kind: "revoked" }
  /** The worker has no module under the call's key: post it again with one. */
  | { readonly kind: "module_missing" }
  | {
      readonly kind: "answered";
      /** The response message, docs/abi.md. */
      readonly message: Uint8Array<ArrayBuffer>;
      /** Monotonic time at which the guest's set-up began, ms (`monotonicMs`). */
      readonly begunAtMs: number;
      readonly timings: Timings;
    }
  | {
      /** Its answer has gone out in pieces, and is whole. */
      readonly kind: "streamed";
      readonly begunAtMs: number;
      readonly timings: Timings;
    }
  | {
      /** It was told to stop: it had used up its CPU time, or the pool had asked for it (`code` null). */
      readonly kind: "stopped";
      readonly code: Extract<ErrorCode, "cpu_exceeded"> | null;
      readonly begunAtMs: number;
      readonly timings: Timings;
    }
  | {
      readonly kind: "failed";
      readonly code: GuestFaultCode | Extract<ErrorCode, "memory_exceeded">;
      /** For the caller: nothing of the guest's own text. */
      readonly detail: string;
      readonly begunAtMs: number;
      readonly timings: Timings;
    };

/** What the monotonic clock of the process showed when this thread's own began. */
const threadOriginMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/**
 * Milliseconds of the monotonic clock that all threads of a process share. Both clocks are the same one
 * (uv_hrtime); this way of reading it makes no garbage.
 */
export function monotonicMs(): number {
  return threadOriginMs + performance.now();
}

/** What a guest has the main thread do while it waits: fetch something, or ask a service of the host. */
export type ErrandKind = "fetch" | "ask";

/** On whose errand: a call that waits for the answer. */
export type ErrandContext = {
  readonly deployment: Deployment;
  readonly requestId: string;
  /** How many calls of functions led to this one. */
  readonly depth: number;
  /** The functions whose calls led here without leaving the host, this one included. */
  readonly callers: readonly string[];
  /** What is left of the call's time, ms. */
  readonly remainingMs: () => number;
  /** Aborted when the call waits no more. */
  readonly signal: AbortSignal;
  /** The trace that it is part of, if any. */
  readonly trace: Trace | null;
};

/** The answer in the errand's own form (docs/abi.md), or why there is none: a text in UTF-8. */
export type ErrandReply = { readonly failed: boolean; readonly message: Uint8Array<ArrayBuffer> };
