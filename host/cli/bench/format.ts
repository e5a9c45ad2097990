// Figures as people read them: three digits, with the unit beside them. Used by table and page. Pure.

import { formatBytes } from "../output.ts";
import type { Estimate, Interval } from "./quantiles.ts";
import type { Unit } from "./recorder.ts";

export const unknownText = "–";

/** Milliseconds to three digits, without the unit: `0.0123`, `1.23`, `1230`. */
export function formatMs(ms: number | null): string {
  return ms === null ? unknownText : threeDigits(ms);
}

/** `1.2 to 1.4`, or what of it is known. */
export function formatInterval({ low, high }: Interval, format: (value: number) => string): string {
  if (low === null && high === null) return unknownText;
  if (low === null) return `up to ${format(high ?? 0)}`;
  if (high === null) return `${format(low)} or more`;
  return `${format(low)} to ${format(high)}`;
}

export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case "bytes":
      return value < 0 ? `-${formatBytes(Math.round(-value))}` : formatBytes(Math.round(value));
    case "ms":
      return `${threeDigits(value)} ms`;
    case "times":
      return value.toFixed(2);
    case "calls/s":
      return `${threeDigits(value)}/s`;
    default:
      return String(Math.round(value));
  }
}

export function formatEstimate(
  estimate: Estimate | null,
  unit: Unit,
): readonly [value: string, error: string] {
  if (estimate === null) return ["not known", unknownText];
  return [formatValue(estimate.value, unit), formatInterval(estimate, (value) => formatValue(value, unit))];
}

function threeDigits(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(digits);
}
