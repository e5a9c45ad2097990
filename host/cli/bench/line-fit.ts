// A straight line through points by least squares, with the sampling error of its slope: how much
// memory one more function takes. Pure.

import type { Estimate } from "./quantiles.ts";

export type Point = { readonly x: number; readonly y: number };

/** The slope with its 95 % interval; null for fewer than two distinct x, no interval for fewer than five points. */
export function slopeOf(points: readonly Point[]): Estimate | null {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (!(spread > 0)) return null;
  const value = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  if (count < 5) return { value, low: null, high: null };
  const residuals = points.reduce((sum, { x, y }) => sum + (y - meanY - value * (x - meanX)) ** 2, 0);
  const error = studentQuantile(count - 2) * Math.sqrt(residuals / (count - 2) / spread);
  return { value, low: value - error, high: value + error };
}

/** The 97.5 % point of Student's t (Cornish and Fisher's expansion: within 1 % from 3 degrees of freedom on). */
export function studentQuantile(degrees: number): number {
  const z = 1.959964;
  const terms = [z, (z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96];
  const fourth = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return [...terms, fourth].reduce((sum, term, power) => sum + term / degrees ** power, 0);
}
