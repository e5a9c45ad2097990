// Meters calls: what each used is added to the sums of its version, and what came together is stored half a
// second after the first of it. What was taken to be stored is handed over until it is, as the same batch, so
// that nothing is counted twice; an idle host stores nothing and has no timer.

import type { EndedCall } from "../ended-call.ts";
import type { CallOutcome } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { limits } from "../limits.ts";
import { hourMs, hourOf, type UsageBatch, type UsageRow } from "../usage.ts";
import type { FunctionTraffic } from "./traffic.ts";

/** Versions that have not been called of late are forgotten when there are more. */
const metersMax = 20_000;
/** After a fault of ours, such as a full disk, ms. */
const faultRestMs = 5_000;

export type UsageMeterParts = {
  readonly add: (batch: UsageBatch) => Promise<void>;
  /** Names this run of the process. */
  readonly run: string;
  readonly trafficOf: (functionName: string) => FunctionTraffic;
  readonly onFault: (error: unknown) => void;
  readonly now?: () => number;
};

/** Sums of the calls of one version, alias and outcome that have not been taken yet. */
class Tally {
  calls = 0;
  cpuMs = 0;
  wallMs = 0;
  waitMs = 0;
  pageMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  hostCalls = 0;

  add({ wallMs, timings, bytesIn, bytesOut }: EndedCall): void {
    this.calls += 1;
    this.cpuMs += timings.cpu ?? 0;
    this.wallMs += wallMs;
    this.waitMs += timings.wait ?? 0;
    this.pageMs += timings.pageMs ?? 0;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    this.hostCalls += timings.hostCalls ?? 0;
  }

  /** Takes what there is in whole numbers; the fractions stay, so that they are not lost one by one. */
  take(key: Pick<UsageRow, "function" | "version" | "alias" | "outcome">): UsageRow {
    const row: UsageRow = {
      ...key,
      calls: this.calls,
      cpuUs: Math.floor(this.cpuMs * 1_000),
      wallUs: Math.floor(this.wallMs * 1_000),
      waitUs: Math.floor(this.waitMs * 1_000),
      pageMs: Math.floor(this.pageMs),
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      hostCalls: this.hostCalls,
    };
    this.calls = 0;
    this.cpuMs -= row.cpuUs / 1_000;
    this.wallMs -= row.wallUs / 1_000;
    this.waitMs -= row.waitUs / 1_000;
    this.pageMs -= row.pageMs;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.hostCalls = 0;
    return row;
  }
}

/** What is counted of one version under one alias. */
class VersionMeter {
  readonly deployment: Pick<Deployment, "name" | "version">;
  readonly alias: string;
  readonly traffic: FunctionTraffic;
  readonly ok = new Tally();
  readonly failures = new Map<CallOutcome, Tally>();
  /** Whether there is something to take. */
  isDirty = false;
  /** The meter of the same version under another alias. */
  next: VersionMeter | null;

  constructor(
    { name, version }: Deployment,
    alias: string,
    traffic: FunctionTraffic,
    next: VersionMeter | null,
  ) {
    this.deployment = { name, version };
    this.alias = alias;
    this.traffic = traffic;
    this.next = next;
  }

  tallyOf(outcome: CallOutcome): Tally {
    if (outcome === "ok") return this.ok;
    let tally = this.failures.get(outcome);
    if (tally === undefined) {
      tally = new Tally();
      this.failures.set(outcome, tally);
    }
    return tally;
  }

  *take(): Iterable<UsageRow> {
    this.isDirty = false;
    const { name, version } = this.deployment;
    const key = { function: name, version, alias: this.alias };
    if (this.ok.calls > 0) yield this.ok.take({ ...key, outcome: "ok" });
    for (const [outcome, tally] of this.failures) {
      if (tally.calls > 0) yield tally.take({ ...key, outcome });
    }
  }
}

export class UsageMeter {
  readonly #parts: UsageMeterParts;
  readonly #now: () => number;
  /** By the id of the version. */
  #meters = new Map<number, VersionMeter>();
  #dirty: VersionMeter[] = [];
  /** The hour of what is counted now. */
  #hourMs = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Taken, and not known to be stored. */
  readonly #taken: UsageBatch[] = [];
  #sequence = 0;
  #storing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: UsageMeterParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** Counts a call; the traffic of its function. */
  count(deployment: Deployment, call: EndedCall): FunctionTraffic {
    const meter = this.#meterOf(deployment, call.alias);
    meter.tallyOf(call.outcome).add(call);
    if (!meter.isDirty) {
      meter.isDirty = true;
      if (this.#dirty.push(meter) === 1) this.#begin();
    }
    return meter.traffic;
  }

  /** Stores what has been counted so far; rejects when that cannot be done, and keeps it. */
  flush(): Promise<void> {
    const storing = this.#storing.then(() => this.#store());
    this.#storing = storing.catch(() => {
      if (this.#timer === null) this.#rest(faultRestMs);
    });
    return storing;
  }

  /** As `flush`, and has no timer any more. */
  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    return this.flush();
  }

  #meterOf(deployment: Deployment, alias: string): VersionMeter {
    const first = this.#meters.get(deployment.id) ?? null;
    for (let meter = first; meter !== null; meter = meter.next) if (meter.alias === alias) return meter;
    if (this.#meters.size >= metersMax) {
      this.#meters = new Map([...this.#meters].filter(([, meter]) => isInUse(meter)));
    }
    const meter = new VersionMeter(deployment, alias, this.#parts.trafficOf(deployment.name), first);
    this.#meters.set(deployment.id, meter);
    return meter;
  }

  /** The first of something has been counted: it is stored soon, and before its hour is over. */
  #begin(): void {
    const nowMs = this.#now();
    this.#hourMs = hourOf(nowMs);
    if (this.#timer !== null) return;
    this.#rest(Math.min(limits.usageFlushMs, Math.max(1, this.#hourMs + hourMs - nowMs)));
  }

  #rest(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.flush().catch(this.#parts.onFault);
    }, ms);
    this.#timer.unref();
  }

  async #store(): Promise<void> {
    // What could not be stored before, as it was.
    await this.#handOver();
    this.#take();
    await this.#handOver();
  }

  async #handOver(): Promise<void> {
    for (let batch = this.#taken[0]; batch !== undefined; batch = this.#taken[0]) {
      await this.#parts.add(batch);
      this.#taken.shift();
    }
  }

  /** Makes batches of what was counted. */
  #take(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    const all = dirty.flatMap((meter) => [...meter.take()]);
    const { run } = this.#parts;
    const atMs = this.#now();
    for (let at = 0; at < all.length; at += limits.usageRowsPerBatchMax) {
      const rows = all.slice(at, at + limits.usageRowsPerBatchMax);
      this.#sequence += 1;
      this.#taken.push({ run, sequence: this.#sequence, atMs, hourMs: this.#hourMs, rows });
    }
  }
}

function isInUse(first: VersionMeter): boolean {
  for (let meter: VersionMeter | null = first; meter !== null; meter = meter.next) {
    if (meter.isDirty) return true;
  }
  return false;
}
