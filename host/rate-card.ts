// What use costs: prices per unit, as the host's owner has set them, and the sum for what was used. Decimal
// numbers of any length throughout: money is never a binary fraction, and nothing is rounded.

import { Big } from "big.js";
import { z } from "zod";
import type { UsageFigures } from "./usage.ts";

const price = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,18})?$/, 'want a decimal number in quotes, such as "0.0000166667"')
  .default("0");

export const rateCardSchema = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'want three letters of ISO 4217, such as "EUR"'),
  perMillionCalls: price,
  perCpuSecond: price,
  perWallSecond: price,
  /** GB of 10^9 bytes, as in the next two. */
  perGbSecond: price,
  perGbIn: price,
  perGbOut: price,
  perMillionHostCalls: price,
});

export type RateCard = z.infer<typeof rateCardSchema>;

/** Amounts in the currency of the card, as decimal numbers; `total` is the sum of the others. */
export type Cost = {
  readonly calls: string;
  readonly cpu: string;
  readonly wall: string;
  readonly memory: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly hostCalls: string;
  readonly total: string;
};

/** Of one unit of the figure in the unit of the price: all of them decimal, so that every sum is exact. */
const million = new Big("1e-6");
const giga = new Big("1e-9");
/** A page of 64 KiB for a millisecond, in GB-seconds. */
const pageMillisecond = new Big(65_536).times("1e-12");

export function costOf(figures: UsageFigures, card: RateCard): Cost {
  const parts = {
    calls: amount(figures.calls, million, card.perMillionCalls),
    cpu: amount(figures.cpuUs, million, card.perCpuSecond),
    wall: amount(figures.wallUs, million, card.perWallSecond),
    memory: amount(figures.pageMs, pageMillisecond, card.perGbSecond),
    bytesIn: amount(figures.bytesIn, giga, card.perGbIn),
    bytesOut: amount(figures.bytesOut, giga, card.perGbOut),
    hostCalls: amount(figures.hostCalls, million, card.perMillionHostCalls),
  };
  const total = Object.values(parts).reduce((sum, part) => sum.plus(part), new Big(0));
  const shown = Object.fromEntries(
    Object.entries({ ...parts, total }).map(([name, value]) => [name, value.toFixed()]),
  );
  return shown as Cost;
}

function amount(units: number, unit: Big, priceOfOne: string): Big {
  return new Big(units).times(unit).times(priceOfOne);
}
