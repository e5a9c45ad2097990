// Calls that the host had no room for: no fault of the function, and no times either. Closed-loop clients
// ask again; how many there were is a figure.

import { assertSuccess, type Caller, isRefusal, type Request, sampleOf } from "./calls.ts";
import type { CallGroup } from "./recorder.ts";
import type { BenchRun } from "./run.ts";

export type Refusals = { count: number };

/** Calls until it gets an answer that is no refusal; records those that are to be. */
export function measuredCall(
  caller: Caller,
  request: Request,
  group: CallGroup,
  refusals: Refusals,
): (recorded: boolean) => Promise<void> {
  return async (recorded) => {
    for (;;) {
      const exchange = await caller.send(request);
      if (!isRefusal(exchange)) {
        assertSuccess(request, exchange);
        if (recorded) group.calls.push(sampleOf(exchange));
        return;
      }
      refusals.count += 1;
      // A host that refuses is not to be asked again at once.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
}

/** Counts calls that the host had no room for; a figure where there were any. */
export function countRefusals({ recorder }: BenchRun): Refusals {
  const refusals = { count: 0 };
  recorder.figure(() =>
    refusals.count === 0
      ? null
      : {
          name: "calls refused",
          unit: "calls",
          estimate: { value: refusals.count, low: null, high: null },
          samples: refusals.count,
          note: "429 or 503 overloaded: the host, or the function's concurrency, was full",
        },
  );
  return refusals;
}
