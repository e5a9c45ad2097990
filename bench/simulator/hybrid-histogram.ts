// The hybrid histogram policy of "Serverless in the Wild" (see azure-shape.ts), section 4.2: a histogram of
// a function's idle times says when to load it again and how long to keep it. It falls back to a standard
// keep-alive while the histogram says little, and to a forecast where most idle times are beyond it. The
// paper forecasts with ARIMA; here it is the mean of the last idle times, which is what ARIMA comes to for
// a series without trend.

import type { Keeper, Policy, Windows } from "./policies.ts";

export const histogramBounds = {
  binS: 60,
  /** Four hours of one-minute bins. */
  bins: 240,
  /** Percentiles of the idle times that set the two windows. */
  headPercent: 5,
  tailPercent: 99,
  /** By which the windows are widened on both sides. */
  margin: 0.1,
  /** The coefficient of variation of the bins' counts from which on the histogram says something. */
  variationMin: 2,
  /** From this share of idle times beyond the histogram on, the next is forecast. */
  beyondShare: 0.5,
  /** By which the forecast is widened on both sides. */
  forecastMargin: 0.15,
  /** Idle times that a forecast is made from. */
  forecastFrom: 10,
} as const;

const rangeS = histogramBounds.binS * histogramBounds.bins;

export const hybridHistogram: Policy = { name: "hybrid histogram", start: () => new HistogramKeeper() };

class HistogramKeeper implements Keeper {
  readonly #counts = new Array<number>(histogramBounds.bins).fill(0);
  readonly #recentS: number[] = [];
  #within = 0;
  #beyond = 0;
  /** Of the counts, for their variation. */
  #squares = 0;
  #windows: Windows | null = null;

  observe(idleS: number): void {
    this.#windows = null;
    this.#recentS.push(idleS);
    if (this.#recentS.length > histogramBounds.forecastFrom) this.#recentS.shift();
    const bin = Math.floor(idleS / histogramBounds.binS);
    const count = this.#counts[bin];
    if (count === undefined) {
      this.#beyond += 1;
      return;
    }
    this.#counts[bin] = count + 1;
    this.#within += 1;
    this.#squares += 2 * count + 1;
  }

  windows(): Windows {
    this.#windows ??= this.#decide();
    return this.#windows;
  }

  #decide(): Windows {
    const observed = this.#within + this.#beyond;
    if (observed > 0 && this.#beyond / observed >= histogramBounds.beyondShare) return this.#forecast();
    if (this.#variation() < histogramBounds.variationMin) return { preWarmS: 0, keepAliveS: rangeS };
    const { headPercent, tailPercent, margin, binS } = histogramBounds;
    // Head rounded down to its bin's begin, tail up to its bin's end.
    const preWarmS = this.#percentileBin(headPercent) * binS * (1 - margin);
    const endS = (this.#percentileBin(tailPercent) + 1) * binS * (1 + margin);
    return { preWarmS, keepAliveS: endS - preWarmS };
  }

  #forecast(): Windows {
    const meanS = this.#recentS.reduce((sum, idleS) => sum + idleS, 0) / this.#recentS.length;
    const { forecastMargin } = histogramBounds;
    return { preWarmS: meanS * (1 - forecastMargin), keepAliveS: 2 * meanS * forecastMargin };
  }

  /** Deviation of the counts over their mean; 0 while there is none. */
  #variation(): number {
    if (this.#within === 0) return 0;
    const mean = this.#within / histogramBounds.bins;
    return Math.sqrt(this.#squares / histogramBounds.bins - mean * mean) / mean;
  }

  #percentileBin(percent: number): number {
    let left = Math.ceil((percent / 100) * this.#within);
    for (const [bin, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return bin;
    }
    return histogramBounds.bins - 1;
  }
}
