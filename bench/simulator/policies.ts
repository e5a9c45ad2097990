// Keep-warm policies: how long a function stays loaded after a call, or when it is loaded again before the
// next. Each function has an object of its own, told of every idle time; no clock, no randomness.

export type Windows = {
  /** Seconds after a call until it is loaded again; 0: it is not unloaded. */
  readonly preWarmS: number;
  /** Seconds for which it then stays. */
  readonly keepAliveS: number;
};

export type Policy = {
  readonly name: string;
  /** For one function. */
  start(): Keeper;
};

export type Keeper = {
  /** What holds from the end of the last call. */
  windows(): Windows;
  /** How long the function was idle before its next call. */
  observe(idleS: number): void;
};

/** Nothing is kept: every call that finds no other running loads. */
export const keepNothing: Policy = constant("none", 0);

/** Kept for so long after each call. */
export const fixedWindow = (minutes: number): Policy => constant(`fixed, ${minutes} min`, minutes * 60);

function constant(name: string, keepAliveS: number): Policy {
  const keeper: Keeper = { windows: () => ({ preWarmS: 0, keepAliveS }), observe: () => {} };
  return { name, start: () => keeper };
}
