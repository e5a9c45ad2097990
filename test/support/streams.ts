// The streams of a call that has none, for tests of what gives calls to threads.

import { strict as assert } from "node:assert";
import type { CallStreams } from "../../host/invoke/call-streams.ts";

export const noStreams: CallStreams = {
  bodyComes: false,
  head: () => assert.fail("the call does not stream"),
  chunk: () => assert.fail("the call does not stream"),
  pull: () => assert.fail("the call does not stream"),
};
