// An answer in pieces on its thread: when it leaves, when its guest waits, and what a short one becomes.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { chunkBytes, windowBytes } from "../../host/chunk-buffer.ts";
import { ResponseWriter } from "../../host/worker/response-writer.ts";

function begun(atOnce = false) {
  const sent: (number | "head")[] = [];
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const waits: (() => void)[] = [];
  let flush = (): void => {};
  const writer = new ResponseWriter({
    head: Uint8Array.of(1, 2, 3),
    port: {
      head: () => void sent.push("head"),
      chunk: (bytes) => {
        sent.push(bytes.byteLength);
        chunks.push(bytes);
      },
    },
    waiter: {
      wait: (work, abandon) => {
        waits.push(abandon);
        flush();
        return work;
      },
      keepResult: () => true,
      keepFiles: () => true,
      suspends: () => {},
      onLeaving: (act) => {
        flush = act;
      },
    },
    atOnce,
  });
  return { writer, sent, chunks, waits, leave: () => flush() };
}

test("an answer that ends before its guest leaves the thread is one message", () => {
  const { writer, sent } = begun();
  writer.write(Uint8Array.of(4));
  writer.write(Uint8Array.of(5, 6));
  assert.deepEqual(writer.end(), Uint8Array.of(1, 2, 3, 4, 5, 6));
  assert.deepEqual(sent, []);
  assert.equal(writer.isSent, false);
});

test("what there is leaves with the guest, and the rest at the end", () => {
  const { writer, sent, leave } = begun();
  leave();
  assert.deepEqual(sent, ["head"]);
  writer.write(Uint8Array.of(4));
  leave();
  leave();
  writer.write(Uint8Array.of(5, 6));
  assert.equal(writer.end(), null);
  assert.deepEqual(sent, ["head", 1, 2]);
});

test("each piece of a guest that gives no way leaves when it is written", () => {
  const { writer, sent } = begun(true);
  writer.write(Uint8Array.of(4));
  writer.write(Uint8Array.of(5));
  assert.deepEqual(sent, ["head", 1, 1]);
});

test("a guest that is ahead of its reader by a window waits until half of it is taken", async () => {
  const { writer, sent, waits } = begun();
  const more = writer.write(new Uint8Array(windowBytes + chunkBytes + 1));
  assert.ok(more instanceof Promise);
  assert.deepEqual(sent, ["head", ...new Array(4).fill(chunkBytes)]);
  let done = false;
  void more.then(() => (done = true));
  writer.taken(chunkBytes, null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
  writer.taken(chunkBytes, null);
  await more;
  assert.equal(waits.length, 1);
  assert.equal(writer.end(), null);
  assert.deepEqual(sent.slice(5), [chunkBytes, 1]);
});

test("a buffer that came back is used again, and not one byte of what it held is sent", () => {
  const { writer, chunks } = begun();
  writer.write(new Uint8Array(chunkBytes).fill(7));
  const first = chunks[0]?.buffer as ArrayBuffer;
  writer.taken(chunkBytes, first);
  writer.write(new Uint8Array(chunkBytes - 1).fill(8));
  writer.end();
  assert.equal(chunks[1]?.buffer, first);
  assert.equal(chunks[1]?.byteLength, chunkBytes - 1);
  assert.ok(chunks[1]?.every((byte) => byte === 8));
});

test("nothing can be written after the end, and it ends once", () => {
  const { writer } = begun();
  writer.end();
  assert.throws(() => writer.write(Uint8Array.of(1)), { code: "bad_guest_output" });
  assert.throws(() => writer.end(), { code: "bad_guest_output" });
});
