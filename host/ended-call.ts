// The noun of a call that has ended, however it came in, as it is counted, kept and traced. No I/O.

import { liveAlias } from "./alias.ts";
import type { CallOutcome } from "./errors.ts";
import type { Deployment } from "./function.ts";
import type { Timings } from "./invocation.ts";
import type { Trace } from "./trace-context.ts";

/** http: over the network · internal: from another function · event: a delivery · async: `respond-async`. */
export type CallKind = "http" | "internal" | "event" | "async";

export type EndedCall = {
  readonly requestId: string;
  /** The asynchronous call that it is an attempt at. */
  readonly invocationId: string | null;
  readonly kind: CallKind;
  /** Null when there was none of its name and pin. */
  readonly deployment: Deployment | null;
  readonly functionName: string;
  /** As `UsageKey.alias`. */
  readonly alias: string;
  readonly outcome: CallOutcome;
  /** Of the answer, the host's own included; 0 when there was none. */
  readonly status: number;
  /** When it came, by `performance.now`, and how long it took, ms. */
  readonly startMs: number;
  readonly wallMs: number;
  readonly timings: Timings;
  /** Bytes of bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Null where it is part of no trace. */
  readonly trace: Trace | null;
};

/** The alias under which a call counts: the one that led to its version, "" where its number did. */
export function aliasOfCall(deployment: Deployment | null, pin: string | null): string {
  return deployment === null ? (pin ?? liveAlias) : (deployment.alias ?? "");
}
