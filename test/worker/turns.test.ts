// Who runs next on a thread: one at a time, new calls and the others alternately, versions by turns.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Turns } from "../../host/worker/turns.ts";

/** Turns that note who ran; whoever runs gives the thread back in the next microtask, as a guest does. */
function thread() {
  const ran: string[] = [];
  let active = 0;
  let pauses = 0;
  let wakeIdle = (): void => {};
  const turns: Turns = new Turns({ onPause: () => (pauses += 1), onIdle: () => wakeIdle() });
  const run =
    (name: string, takesMs = 0) =>
    (): void => {
      assert.equal(active, 0, "two at once");
      active += 1;
      ran.push(name);
      const endMs = performance.now() + takesMs;
      while (performance.now() < endMs);
      queueMicrotask(() => {
        active -= 1;
        turns.released();
      });
    };
  const idle = (): Promise<void> => new Promise((resolve) => (wakeIdle = resolve));
  return { ran, turns, run, idle, pauses: () => pauses };
}

test("new calls run in the order they came, one after the other", async () => {
  const { ran, turns, run, idle } = thread();
  for (const name of ["a", "b", "c"]) turns.begin(run(name));
  const done = idle();
  turns.now();
  await done;
  assert.deepEqual(ran, ["a", "b", "c"]);
});

test("the event loop turns when a millisecond has passed, and the rest follows by itself", async () => {
  const { ran, turns, run, idle, pauses } = thread();
  for (const name of ["a", "b", "c"]) turns.begin(run(name, 3));
  let turned = 0;
  const count = setImmediate(function again() {
    turned += 1;
    if (ran.length < 3) setImmediate(again);
  });
  const done = idle();
  turns.now();
  await done;
  clearImmediate(count);
  assert.deepEqual(ran, ["a", "b", "c"]);
  assert.ok(turned >= 2 && pauses() >= 2, `${turned} ${pauses()}`);
});

test("guests that go on take turns by their versions: a thousand of one keep no other waiting", async () => {
  const { ran, turns, run, idle } = thread();
  for (let count = 0; count < 1_000; count += 1) turns.resume(1, run("many"));
  turns.resume(2, run("one"));
  turns.resume(3, run("another"));
  await idle();
  assert.equal(ran.length, 1_002);
  assert.deepEqual(ran.slice(0, 3), ["many", "one", "another"]);
});

test("new calls and guests that go on have the turns of the event loop alternately", async () => {
  const { ran, turns, run, idle } = thread();
  let rounds = 0;
  // Each new call brings the next one, and each slice of the loop its next one: neither may starve.
  const fresh = (): void => {
    run("new", 2)();
    rounds += 1;
    if (rounds < 6) turns.begin(fresh);
  };
  const slice = (): void => {
    run("slice", 2)();
    if (rounds < 6) turns.resume(1, slice);
  };
  turns.begin(fresh);
  turns.resume(1, slice);
  const done = idle();
  await done;
  const text = ran.join(" ");
  assert.doesNotMatch(text, /new new new|slice slice slice/);
  assert.equal(ran.filter((name) => name === "new").length, 6);
});

test("a call that is added while another runs waits for it", async () => {
  const { ran, turns, run, idle } = thread();
  turns.begin(() => {
    run("first")();
    turns.begin(run("second"));
    turns.now();
    assert.deepEqual(ran, ["first"]);
  });
  const done = idle();
  turns.now();
  await done;
  assert.deepEqual(ran, ["first", "second"]);
});

test("calls that end before they begin do not pile up on the stack", async () => {
  let ended = 0;
  let wake = (): void => {};
  const turns: Turns = new Turns({ onPause: () => {}, onIdle: () => wake() });
  for (let count = 0; count < 20_000; count += 1) {
    turns.begin(() => {
      ended += 1;
      turns.released();
    });
  }
  const done = new Promise<void>((resolve) => (wake = resolve));
  turns.now();
  if (ended < 20_000) await done;
  assert.equal(ended, 20_000);
});
