// Randomness that can be repeated: a seed from MAYFLY_TEST_SEED or the clock, printed with the test.

import type { TestContext } from "node:test";

/** A source of numbers in [0, 1); the seed is printed as the test's diagnostic. */
export function seededRandom(context: Pick<TestContext, "diagnostic">): () => number {
  const seed = Number(process.env["MAYFLY_TEST_SEED"] ?? Date.now() % 2 ** 31);
  context.diagnostic(`seed ${seed} (repeat with MAYFLY_TEST_SEED=${seed})`);
  const next = seeded(seed);
  return () => next() / 2 ** 32;
}

/** Numbers from 0 to 2^32 - 1 that are the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
