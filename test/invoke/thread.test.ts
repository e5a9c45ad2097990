import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { PoolCall } from "../../host/invoke/pool.ts";
import { type Posted, Thread } from "../../host/invoke/thread.ts";
import { limits } from "../../host/limits.ts";
import { boxedBytesMax, Mailbox } from "../../host/worker/mailbox.ts";
import type { CallTask, SetupKey, ToThread } from "../../host/worker/protocol.ts";
import { noStreams } from "../support/streams.ts";

function started() {
  const { port1, port2 } = new MessageChannel();
  const mailbox = new Mailbox();
  const thread = new Thread(port1, mailbox, 0);
  thread.threadId = 3;
  const beats = new Int32Array(thread.cells);
  let slot = 0;
  const posted = (versionId = 1, expectedMs = 1, metered = true): Posted => {
    const message = new Uint8Array(1);
    const streams = noStreams;
    const call = { key: versionId, versionId, metered, message, streams, setup: { env: [] } } as never;
    slot += 1;
    return {
      call: call as PoolCall,
      slot,
      box: null,
      expectedMs,
      thread,
      waiting: false,
      settled: false,
      stop: null,
      errand: null,
      body: null,
      cpuWatch: null,
    };
  };
  const received = (): unknown => receiveMessageOnPort(port2)?.message;
  return { thread, mailbox, beats, posted, received, close: () => port1.close() };
}

test("a thread counts what runs on it, and not what waits for host calls", () => {
  const { thread, posted, close } = started();
  const [one, two] = [posted(1, 2), posted(2, 3)];
  thread.add(one);
  thread.add(two);
  assert.deepEqual([thread.running, thread.load(one.call).backlogMs], [2, 5]);
  thread.setWaiting(one, true);
  thread.setWaiting(one, true);
  assert.deepEqual([thread.running, thread.load(one.call).backlogMs], [1, 3]);
  thread.remove(one);
  thread.remove(one);
  assert.deepEqual([thread.running, thread.posted.size], [1, 1]);
  thread.setWaiting(two, true);
  thread.setWaiting(two, false);
  thread.remove(two);
  assert.deepEqual([thread.running, thread.load(two.call).backlogMs, thread.posted.size], [0, 0, 0]);
  close();
});

test("a thread is full for one version before it is full for all", () => {
  const { thread, posted, close } = started();
  for (let count = 0; count < limits.callsPerThreadAndVersionMax; count += 1) thread.add(posted(1));
  assert.equal(thread.load(posted(1).call).unavailable, true);
  assert.equal(thread.load(posted(2).call).unavailable, false);
  for (let version = 2; thread.running < limits.callsPerThreadMax; version += 1) thread.add(posted(version));
  assert.equal(thread.load(posted(100_000).call).unavailable, true);
  const [first] = thread.posted.values();
  if (first !== undefined) thread.setWaiting(first, true);
  assert.equal(thread.load(posted(1).call).unavailable, false);
  close();
});

test("a thread is silent when two looks have seen no sign of life, while it has something to run", () => {
  const { thread, beats, posted, close } = started();
  thread.look();
  thread.look();
  assert.equal(thread.isSilent, false, "it has nothing to run");
  thread.add(posted());
  thread.look();
  assert.equal(thread.isSilent, false, "it may have been given it just now");
  thread.look();
  assert.equal(thread.isSilent, true);
  assert.equal(thread.load(posted().call).unavailable, true);
  beats[0] = 1;
  thread.look();
  assert.equal(thread.isSilent, false);
  thread.look();
  thread.look();
  assert.equal(thread.isSilent, true);
  thread.heard();
  assert.equal(thread.isSilent, false, "it has said something");
  close();
});

test("a call that is not metered has its thread for itself, also while it waits, and may be silent", () => {
  const { thread, posted, close } = started();
  const alone = posted(1, 1, false);
  thread.add(alone);
  thread.setWaiting(alone, true);
  assert.equal(thread.isBusy, true);
  assert.deepEqual(
    [posted(1, 1, false), posted(2)].map(({ call }) => thread.load(call).unavailable),
    [true, true],
  );
  thread.setWaiting(alone, false);
  for (let look = 0; look < 3; look += 1) thread.look();
  assert.equal(thread.isSilent, false);
  thread.remove(alone);
  assert.equal(thread.isBusy, false);
  thread.add(posted(2));
  assert.equal(thread.load(alone.call).unavailable, true, "another is there");
  close();
});

test("one that starts or is being ended takes nothing", () => {
  const { thread, posted, close } = started();
  thread.threadId = -1;
  assert.equal(thread.load(posted().call).unavailable, true);
  thread.threadId = 3;
  thread.ending = true;
  assert.equal(thread.load(posted().call).unavailable, true);
  close();
});

test("calls go in one message, each deployment's set-up with its first one, and again when it was let go", () => {
  const { thread, posted, received, close } = started();
  const [one, two, other] = [posted(1), posted(1), posted(2)];
  assert.deepEqual(
    [one, two, other].map((each) => thread.enqueue(each)),
    [true, false, false],
  );
  assert.equal(received(), undefined);
  thread.flush();
  thread.flush();
  assert.deepEqual(sent(received()), { setups: [1, 2], calls: [1, 2, 3] });
  assert.equal(received(), undefined);
  assert.deepEqual([thread.has(1), thread.has(9)], [true, false]);
  thread.lacks(1);
  thread.enqueue(posted(1));
  thread.enqueue(posted(2));
  thread.flush();
  assert.deepEqual(sent(received()), { setups: [1], calls: [4, 5] });
  close();
});

/** The set-ups of a message by their keys, the calls by their slots, or by their boxes as text. */
function sent(message: unknown): { setups: SetupKey[]; calls: (number | string)[] } {
  const { setups, calls } = message as Extract<ToThread, { kind: "calls" }>;
  return {
    setups: setups.map(([key]) => key),
    calls: calls.map((call) => (typeof call === "number" ? `box ${call}` : call.slot)),
  };
}

test("a call with a box lies there, and its number alone is posted", () => {
  const { thread, mailbox, posted, received, close } = started();
  const message = new Uint8Array(boxedBytesMax).map((_, index) => index);
  const boxed = posted(7);
  thread.enqueue({ ...boxed, box: 12, call: { ...boxed.call, message } });
  thread.enqueue(posted(7));
  thread.flush();
  assert.deepEqual(sent(received()), { setups: [7], calls: ["box 12", 2] });
  assert.deepEqual([mailbox.slot(12), mailbox.key(12)], [1, 7]);
  assert.deepEqual(new Uint8Array(mailbox.request(12)), message);
  close();
});

test("a message that is part of a larger buffer is posted without the rest of it", () => {
  const { thread, posted, received, close } = started();
  const whole = posted();
  const message = new Uint8Array(1_000).fill(7).subarray(10, 20);
  thread.enqueue({ ...whole, call: { ...whole.call, message } });
  thread.flush();
  const [task] = (received() as { readonly calls: readonly CallTask[] }).calls;
  assert.deepEqual(task?.message, new Uint8Array(10).fill(7));
  assert.equal(task?.message.buffer.byteLength, 10);
  close();
});

test("it is idle since its last call ended, not while calls wait on it", () => {
  const { thread, posted, close } = started();
  thread.busyAtMs = 100;
  assert.deepEqual([thread.isIdleSince(99), thread.isIdleSince(100)], [false, true]);
  const waiting = posted();
  thread.add(waiting);
  thread.setWaiting(waiting, true);
  assert.equal(thread.isIdleSince(200), false);
  close();
});
