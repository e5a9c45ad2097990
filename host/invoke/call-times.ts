// What calls of each version took lately, so that the balancer can tell short ones from long ones.

/** Share of the newest call in the running mean. */
const newestWeight = 0.1;
/** A version not seen yet is taken for long, so that it gets a thread of its own. */
const unknownMs = 10;
const versionsMax = 10_000;

export class CallTimes {
  readonly #meanMs = new Map<number, number>();

  /** The time a call of the version is expected to hold its thread, ms. */
  expect(versionId: number): number {
    return this.#meanMs.get(versionId) ?? unknownMs;
  }

  took(versionId: number, ms: number): void {
    const mean = this.#meanMs.get(versionId);
    if (mean === undefined && this.#meanMs.size >= versionsMax) this.#meanMs.clear();
    this.#meanMs.set(versionId, mean === undefined ? ms : mean + newestWeight * (ms - mean));
  }
}
