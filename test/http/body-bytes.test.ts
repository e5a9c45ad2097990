// One body in memory: gathered as it comes, within its bounds, at the price of its bytes.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { type BodyBounds, BodyBytes } from "../../host/http/body-bytes.ts";

const bounds: BodyBounds = {
  what: "request body",
  bytesMax: 1_000,
  idleTimeoutMs: 1_000,
  tooLarge: "body_too_large",
};
const isCode = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;
const bytes = Uint8Array.from({ length: bounds.bytesMax }, (_, at) => at % 251);

test("chunks of any size come out as one body, whether its length was announced or not", () => {
  for (const announced of [undefined, null, "1000"]) {
    for (const size of [1, 3, 16, 333, 999, 1_000]) {
      const body = new BodyBytes(bounds, announced);
      for (let at = 0; at < bytes.length; at += size) body.add(bytes.subarray(at, at + size));
      assert.deepEqual(Buffer.from(body.whole()), Buffer.from(bytes));
    }
  }
});

test("a body in chunks of one byte takes no more memory than it may have bytes", () => {
  const body = new BodyBytes(bounds, undefined);
  for (let at = 0; at < 600; at += 1) body.add(bytes.subarray(at, at + 1));
  assert.ok(body.whole().buffer.byteLength <= bounds.bytesMax);
});

test("an announced length over the bound is refused, and so is the byte that goes beyond it", () => {
  new BodyBytes(bounds, "1000");
  assert.throws(() => new BodyBytes(bounds, "1001"), isCode("body_too_large"));
  const body = new BodyBytes(bounds, undefined);
  body.add(bytes);
  assert.throws(() => body.add(bytes.subarray(0, 1)), isCode("body_too_large"));
});

test("bytes are counted when they come, not when they are announced", () => {
  const budget = new BodyBudget(10);
  const [one, other] = [budget.share(), budget.share()];
  const body = new BodyBytes(bounds, "1000", one);
  new BodyBytes(bounds, undefined, other).add(bytes.subarray(0, 4));
  body.add(bytes.subarray(0, 6));
  assert.throws(() => body.add(bytes.subarray(0, 1)), isCode("overloaded"));
  other[Symbol.dispose]();
  body.add(bytes.subarray(0, 4));
});
