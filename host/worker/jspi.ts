// JavaScript Promise Integration, which TypeScript's library does not know yet
// (https://webassembly.github.io/js-promise-integration/js-api/).

type Jspi = {
  /** An import that suspends its caller while the promise it returns is pending. */
  readonly Suspending: new (
    fn: (...args: never[]) => unknown,
  ) => WebAssembly.ImportValue & object;
  /** An export as a function that answers a promise, so that its imports may suspend it. */
  promising<args extends unknown[]>(exported: (...args: args) => unknown): (...args: args) => Promise<void>;
};

export const { Suspending, promising } = WebAssembly as typeof WebAssembly & Jspi;
