// A request's body as its guest reads it: whole, or as it comes.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { BodyReader } from "../../host/worker/body-reader.ts";

function coming() {
  const taken: number[] = [];
  const abandons: (() => void)[] = [];
  let pulls = 0;
  const body = BodyReader.ofPort(
    { pull: () => (pulls += 1), taken: ({ byteLength }) => void taken.push(byteLength) },
    {
      wait: (work, abandon) => {
        abandons.push(abandon);
        return work;
      },
      keepResult: () => true,
      keepFiles: () => true,
      suspends: () => {},
      onLeaving: () => {},
    },
  );
  return { body, taken, abandons, pulls: () => pulls };
}

test("a body that is there is read without waiting, and its end again and again", () => {
  const body = BodyReader.ofBytes(Uint8Array.of(1, 2, 3));
  assert.deepEqual(body.read(2), Uint8Array.of(1, 2));
  assert.deepEqual(body.read(2), Uint8Array.of(3));
  assert.equal(body.read(2), null);
  assert.equal(body.read(2), null);
  assert.equal(BodyReader.ofBytes(new Uint8Array(0)).read(1), null);
});

test("a body that comes is asked for once, at the first read", async () => {
  const { body, taken, pulls } = coming();
  assert.equal(pulls(), 0);
  const first = body.read(2);
  assert.equal(pulls(), 1);
  body.arrived(Uint8Array.of(1, 2, 3));
  body.arrived(Uint8Array.of(4));
  assert.deepEqual(await first, Uint8Array.of(1, 2));
  assert.deepEqual(body.read(9), Uint8Array.of(3));
  assert.deepEqual(taken, [], "what was read is good until the next read");
  assert.deepEqual(body.read(9), Uint8Array.of(4));
  assert.deepEqual(taken, [3]);
  const last = body.read(9);
  assert.deepEqual(taken, [3, 1]);
  body.ended();
  assert.equal(await last, null);
  assert.equal(body.read(9), null);
  assert.equal(pulls(), 1);
});

test("the end waits behind what came before it", () => {
  const { body } = coming();
  body.arrived(Uint8Array.of(1));
  body.ended();
  assert.deepEqual(body.read(9), Uint8Array.of(1));
  assert.equal(body.read(9), null);
});
