// The nouns of one call: what is asked of a guest and what came of it. No I/O.

import type { ErrorCode } from "./errors.ts";

/** Milliseconds of each phase that took place. */
export type Timings = {
  queue?: number;
  load?: number;
  compile?: number;
  instantiate?: number;
  run?: number;
  wait?: number;
  /** CPU time of the guest, not a phase: what counts against `cpuMs`. */
  cpu?: number;
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
      /** It was told to stop: it had used up its CPU time, or the pool had asked for it (`code` null). */
      readonly kind: "stopped";
      readonly code: Extract<ErrorCode, "cpu_exceeded"> | null;
      readonly begunAtMs: number;
      readonly timings: Timings;
    }
  | {
      readonly kind: "failed";
      readonly code: Extract<
        ErrorCode,
        "guest_trapped" | "memory_exceeded" | "bad_guest_output" | "overloaded"
      >;
      /** For the caller: nothing of the guest's own text. */
      readonly detail: string;
      readonly begunAtMs: number;
      readonly timings: Timings;
    };

/** Milliseconds of the monotonic clock that all threads of a process share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
