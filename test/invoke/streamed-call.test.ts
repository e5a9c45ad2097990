// What becomes of a call's streams: passed on to who takes them as they come, joined for the others, and
// ended with a reason.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallAbandoned, HostError } from "../../host/errors.ts";
import type { BodyPost } from "../../host/invoke/call-streams.ts";
import { StreamedCall, type StreamedRequest } from "../../host/invoke/streamed-call.ts";
import { limits } from "../../host/limits.ts";

const loaded = {
  code: new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)),
  moduleBytes: 0,
  memory: null,
  resettable: false,
  files: null,
  readsBody: false,
};
const head = {
  kind: "head",
  slot: 0,
  message: Uint8Array.of(1, 2),
  begunAtMs: 150,
  instantiateMs: 3,
} as const;
const into = {} as BodyPost;

function called(request: StreamedRequest) {
  const ends: Error[] = [];
  const call = new StreamedCall(request, { loaded, loadMs: 20 }, 100, {
    end: (error) => void ends.push(error),
  });
  return { call, ends };
}

test("an answer is passed on as it comes, with the phases that are over", () => {
  const seen: unknown[] = [];
  const { call, ends } = called({
    onAnswer: (start) => {
      seen.push(start);
      return {
        write: (bytes, taken) => {
          seen.push(bytes);
          taken();
        },
      };
    },
  });
  let taken = 0;
  call.head(head);
  call.chunk(Uint8Array.of(3), () => (taken += 1));
  assert.deepEqual(seen, [
    { head: Uint8Array.of(1, 2), timings: { load: 20, queue: 30, instantiate: 3 } },
    Uint8Array.of(3),
  ]);
  assert.equal(taken, 1);
  assert.equal(call.answer(), null);
  assert.deepEqual(ends, []);
});

test("an answer is joined where nobody takes it as it comes, up to the bound of whole ones", () => {
  const { call, ends } = called({});
  let taken = 0;
  const chunk = new Uint8Array(limits.responseBodyBytesMax).fill(3);
  call.head(head);
  call.chunk(chunk, () => (taken += 1));
  // The memory is another's once it has been taken.
  chunk.fill(0);
  const joined = call.answer();
  assert.equal(joined?.byteLength, 2 + limits.responseBodyBytesMax);
  assert.deepEqual([...(joined?.subarray(0, 3) ?? [])], [1, 2, 3]);
  assert.deepEqual(ends, []);
  call.chunk(Uint8Array.of(4), () => (taken += 1));
  assert.equal(taken, 1);
  assert.equal(call.failure?.code, "bad_guest_output");
  assert.deepEqual(ends, [call.failure]);
});

test("what the taker throws ends the call, once, and no more is passed on", () => {
  let writes = 0;
  const { call, ends } = called({
    onAnswer: () => ({
      write: () => {
        writes += 1;
        throw new HostError("overloaded", "no room");
      },
    }),
  });
  call.head(head);
  call.chunk(Uint8Array.of(3), assert.fail);
  call.chunk(Uint8Array.of(4), assert.fail);
  assert.equal(writes, 1);
  assert.equal(call.failure?.code, "overloaded");
  assert.equal(ends.length, 1);
});

test("a body that breaks ends the call with its reason, one whose client is gone with none", () => {
  const tooLarge = new HostError("body_too_large", "too large");
  const broken = called({ body: { pull: (_into, fail) => fail(tooLarge) } });
  assert.equal(broken.call.bodyComes, true);
  broken.call.pull(into);
  assert.equal(broken.call.failure, tooLarge);
  assert.deepEqual(broken.ends, [tooLarge]);
  const gone = called({ body: { pull: (_into, fail) => fail(new CallAbandoned("gone")) } });
  gone.call.pull(into);
  assert.equal(gone.call.failure, null);
  assert.ok(gone.ends[0] instanceof CallAbandoned);
});
