// The share of calls that find their module not among those that a host keeps, without a trace: Che's
// approximation of a least-recently-used cache, for functions whose rates have the published shape
// (azure-shape.ts). Pure. How near it is to a replay, a test says.

import { callsPerDayAt } from "./azure-shape.ts";

/** Functions are taken in so many classes of equal rate. */
const classes = 2_000;
const rates = Array.from({ length: classes }, (_, index) => callsPerDayAt((index + 0.5) / classes));

/** For so many functions on a host that keeps `kept` modules. 0 when all fit: first calls are left out. */
export function missShare(functions: number, kept: number): number {
  if (functions <= kept) return 0;
  const each = functions / classes;
  const present = (days: number): number =>
    rates.reduce((sum, rate) => sum + each * -Math.expm1(-rate * days), 0);
  // How long a module stays when nobody calls it: so long that as many as are kept are called meanwhile.
  let least = 1e-12;
  let most = 1e6;
  for (let step = 0; step < 100; step += 1) {
    const middle = Math.sqrt(least * most);
    if (present(middle) < kept) least = middle;
    else most = middle;
  }
  const calls = rates.reduce((sum, rate) => sum + rate, 0);
  return rates.reduce((sum, rate) => sum + rate * Math.exp(-rate * least), 0) / calls;
}
