// What is read and rewritten on a thread comes to the same as here, and leaves this one free.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import { WasmRefusal } from "../../host/wasm/refusal.ts";
import { Rewriter } from "../../host/wasm/rewriter.ts";
import { assemble } from "./corpus.ts";
import { codeModule } from "./module-bytes.ts";

const here = new Rewriter();
const onThread = new Rewriter(0);

const refusal = async (rewriter: Rewriter, bytes: Uint8Array): Promise<unknown> => {
  try {
    (await rewriter.rewrite(bytes)).prepared();
  } catch (error) {
    assert(error instanceof WasmRefusal);
    const { code, message, feature, functionIndex, offset } = error;
    return { code, message, feature, functionIndex, offset };
  }
  return assert.fail("it was accepted");
};

describe("Rewriter", () => {
  it("reads and rewrites as they do who are called for it, in either place", async () => {
    const bytes = assemble(`(module (import "env" "f" (func $f (param i32))) (memory 1)
      (func $start (loop (br_if 0 (i32.const 0)))) (start $start)
      (func (export "run") (loop (call $f (memory.grow (i32.const 1))) (br 0))))`);
    const inspection = inspectModule(bytes, { metered: true });
    for (const rewriter of [here, onThread]) {
      const rewritten = await rewriter.rewrite(bytes);
      assert.deepEqual(rewritten.inspection, inspection);
      assert.deepEqual(rewritten.prepared(), prepareModule(bytes, inspection, { meter: true }));
    }
  });

  it("refuses what cannot be read, and what cannot be metered, in the same words in either place", async () => {
    const locals = Array.from({ length: 50 }, () => `(local ${"i64 ".repeat(1_000)})`).join("");
    for (const bytes of [
      Uint8Array.of(0, 0x61, 0x73),
      codeModule(0xff),
      assemble(`(module (func ${locals} (loop (br 0))))`),
    ]) {
      assert.deepEqual(await refusal(onThread, bytes), await refusal(here, bytes));
    }
  });

  it("leaves the event loop to others meanwhile, and takes one upload after the other", async () => {
    const bytes = assemble("(module (func (loop (br 0))))");
    let isDone = false;
    const rewritten = Promise.all([onThread.rewrite(bytes), onThread.rewrite(bytes)]).finally(() => {
      isDone = true;
    });
    let turns = 0;
    for (; !isDone; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await rewritten).length, 2);
    assert.ok(turns > 1);
  });
});
