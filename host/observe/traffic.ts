// What each function has had of calls since the host started: for whoever looks on for a while (`mayfly top`),
// and for the metrics, in which only some functions have lines of their own, so that a host with a hundred
// thousand of them has a page that can be read. The others are one line together.

import type { EndedCall } from "../ended-call.ts";
import { limits } from "../limits.ts";
import { bucketOf, CallSeries } from "./call-series.ts";

/** The name of the line of all functions that have none of their own; no function is called so. */
export const otherFunctions = "_other";

export class FunctionTraffic {
  readonly name: string;
  /** All of its calls. */
  readonly all = new CallSeries();
  /** Where its calls are counted for the metrics: in a line of its own, or in that of the others. */
  line: CallSeries;
  /** Calls when the lines were given out last. */
  callsBefore = 0;

  constructor(name: string, line: CallSeries) {
    this.name = name;
    this.line = line;
  }
}

export class Traffic {
  readonly total = new CallSeries();
  readonly #functions = new Map<string, FunctionTraffic>();
  readonly #others = new CallSeries();
  /** Those with lines of their own. */
  readonly #seated = new Map<string, FunctionTraffic>();
  readonly #linesMax: number;

  constructor(linesMax: number = limits.metricFunctionsMax) {
    this.#linesMax = linesMax;
  }

  /** That of a function, from now on if there was none. */
  of(name: string): FunctionTraffic {
    let traffic = this.#functions.get(name);
    if (traffic === undefined) {
      traffic = new FunctionTraffic(name, this.#others);
      this.#functions.set(name, traffic);
      if (this.#seated.size < this.#linesMax) this.#seat(traffic);
    }
    return traffic;
  }

  /** Counts a call; of no function when there was none of its name. */
  count(traffic: FunctionTraffic | null, call: EndedCall): void {
    const bucket = bucketOf(call.wallMs);
    this.total.add(call, bucket);
    if (traffic === null) return;
    traffic.all.add(call, bucket);
    traffic.line.add(call, bucket);
  }

  /** A function is gone. Calls of it that have not ended are counted with the others. */
  remove(name: string): void {
    const traffic = this.#functions.get(name);
    if (traffic === undefined) return;
    this.#functions.delete(name);
    this.#seated.delete(name);
    traffic.line = this.#others;
  }

  all(): Iterable<FunctionTraffic> {
    return this.#functions.values();
  }

  get functions(): number {
    return this.#functions.size;
  }

  /**
   * The lines of the metrics, after a look at who should have one. A function that had many more calls since
   * the last look than one with a line takes its place. What it had before stays with the others, and what the
   * other one has from now on goes there, so that no sum ever shrinks.
   */
  lines(): Map<string, CallSeries> {
    this.#reseat();
    const lines = new Map<string, CallSeries>();
    for (const [name, { line }] of this.#seated) lines.set(name, line);
    if (this.#functions.size > this.#seated.size || this.#others.calls > 0) {
      lines.set(otherFunctions, this.#others);
    }
    return lines;
  }

  #seat(traffic: FunctionTraffic): void {
    traffic.line = new CallSeries();
    this.#seated.set(traffic.name, traffic);
  }

  #reseat(): void {
    const recent: { readonly traffic: FunctionTraffic; readonly calls: number }[] = [];
    for (const traffic of this.#functions.values()) {
      const { calls } = traffic.all;
      recent.push({ traffic, calls: calls - traffic.callsBefore });
      traffic.callsBefore = calls;
    }
    const waiting = recent
      .filter(({ traffic, calls }) => calls > 0 && !this.#seated.has(traffic.name))
      .sort((a, b) => b.calls - a.calls);
    const seated = recent
      .filter(({ traffic }) => this.#seated.has(traffic.name))
      .sort((a, b) => a.calls - b.calls);
    for (const { traffic, calls } of waiting) {
      if (this.#seated.size >= this.#linesMax) {
        const least = seated.shift();
        // Twice as many, so that two alike do not change places for ever.
        if (least === undefined || calls <= 2 * least.calls) return;
        this.#seated.delete(least.traffic.name);
        least.traffic.line = this.#others;
      }
      this.#seat(traffic);
    }
  }
}
