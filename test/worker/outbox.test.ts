// What a thread tells the pool goes in one message, and large answers are moved.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { Outbox } from "../../host/worker/outbox.ts";
import type { CallAnswer, FromThread } from "../../host/worker/protocol.ts";

const answer = (slot: number, bytes: number): CallAnswer & { readonly kind: "answered" } => ({
  kind: "answered",
  slot,
  message: new Uint8Array(bytes).fill(slot),
  begunAtMs: 0,
  timings: {},
});

function outbox() {
  const { port1, port2 } = new MessageChannel();
  const received = (): FromThread | undefined =>
    receiveMessageOnPort(port2)?.message as FromThread | undefined;
  return { box: new Outbox(port1), received, close: () => port1.close() };
}

test("nothing is sent when there is nothing to say", () => {
  const { box, received, close } = outbox();
  box.flush();
  assert.equal(received(), undefined);
  close();
});

test("answers and waits go in one message, in turn, once", () => {
  const { box, received, close } = outbox();
  const [small, large] = [answer(1, 10), answer(2, 100_000)];
  box.answer(small);
  box.waits(3, true);
  box.answer(large);
  box.waits(3, false);
  box.flush();
  box.flush();
  const news = received();
  assert.ok(news?.kind === "news");
  assert.deepEqual(
    news.answers.map((each) =>
      each.kind === "answered" ? [each.slot, each.message.byteLength, each.message[0]] : null,
    ),
    [
      [1, 10, 1],
      [2, 100_000, 2],
    ],
  );
  assert.deepEqual(news.waits, [
    { slot: 3, waiting: true },
    { slot: 3, waiting: false },
  ]);
  assert.equal(received(), undefined);
  assert.equal(small.message.byteLength, 10, "copied");
  assert.equal(large.message.byteLength, 0, "moved");
  close();
});
