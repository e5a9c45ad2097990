import assert from "node:assert/strict";
import { access, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { LogLine } from "../../host/invocation.ts";
import { limits } from "../../host/limits.ts";
import { LogStore } from "../../host/observe/log-store.ts";

const base = await mkdtemp(join(tmpdir(), "mayfly-log-store-"));
after(() => rm(base, { recursive: true, force: true }));
let folders = 0;

/** A store in a folder of its own, or in one that is given, and what it reported. */
function newStore(folder = join(base, String(folders++))) {
  const faults: unknown[] = [];
  return { folder, faults, store: new LogStore({ folder, onFault: (error) => void faults.push(error) }) };
}

function line(message: string): LogLine {
  return { time: "2026-01-02T03:04:05.678Z", level: "info", requestId: "r", version: 1, message };
}

const messages = (lines: readonly LogLine[]): string[] => lines.map(({ message }) => message);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Rejects when `work` has not ended in time, as an endless wait would not. */
async function within<value>(work: Promise<value>, what: string, ms = 10_000): Promise<value> {
  const bound = Promise.withResolvers<never>();
  const timer = setTimeout(() => bound.reject(new Error(`Waited in vain for ${what}`)), ms);
  try {
    return await Promise.race([work, bound.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Appends a line to `name` in every turn of the event loop while `work` runs. */
async function whileLinesCome<value>(store: LogStore, name: string, work: () => Promise<value>) {
  let coming = true;
  let count = 0;
  const lines = (async () => {
    for (; coming; count += 1) {
      store.append(name, line(`l${count}`));
      await nextTurn();
    }
  })();
  try {
    return await work();
  } finally {
    coming = false;
    await lines;
  }
}

test("append keeps the lines of any name apart, also of those that mean something to JavaScript", async () => {
  const { store, faults } = newStore();
  const names = ["error", "constructor", "newlistener", "__proto__", "hasownproperty"];
  for (const name of names) {
    store.append(name, line(`of ${name}`));
    const seen: LogLine[] = [];
    using _following = store.follow(name, (each) => void seen.push(each));
    store.append(name, line(`more of ${name}`));
    assert.deepEqual(messages(seen), [`more of ${name}`]);
  }
  for (const name of names) {
    assert.deepEqual(messages(await store.read(name, 10)), [`of ${name}`, `more of ${name}`]);
  }
  assert.deepEqual(faults, []);
});

test("a follower that throws is reported and takes the line from nobody", async () => {
  const { store, faults } = newStore();
  const fault = new Error("of a follower");
  const seen: LogLine[] = [];
  using _bad = store.follow("f", () => {
    throw fault;
  });
  using _good = store.follow("f", (each) => void seen.push(each));
  store.append("f", line("a"));
  store.append("f", line("b"));
  assert.deepEqual(messages(seen), ["a", "b"]);
  assert.deepEqual(messages(await store.read("f", 10)), ["a", "b"]);
  assert.deepEqual(faults, [fault, fault]);
});

test("follow gives a place back once, however often it is disposed of", () => {
  const { store } = newStore();
  const seen: string[] = [];
  const follow = (): Disposable | null => store.follow("f", ({ message }) => void seen.push(message));
  const places = Array.from({ length: limits.logFollowersMax }, follow);
  assert.ok(places.every((place) => place !== null));
  assert.equal(follow(), null);
  places[0]?.[Symbol.dispose]();
  places[0]?.[Symbol.dispose]();
  assert.notEqual(follow(), null);
  assert.equal(follow(), null);
  store.append("f", line("a"));
  assert.equal(seen.length, limits.logFollowersMax);
});

test("read shows a line as soon as it is appended, and a store opened later shows it once flushed", async () => {
  const { store, folder } = newStore();
  store.append("f", line("a"));
  assert.deepEqual(messages(await store.read("f", 10)), ["a"]);
  await store.flush();
  store.append("f", line("b"));
  assert.deepEqual(messages(await store.read("f", 10)), ["a", "b"]);
  assert.deepEqual(messages(await store.read("f", 1)), ["b"]);
  assert.deepEqual(await store.read("f", 0), []);
  await store.flush();
  assert.deepEqual(messages(await newStore(folder).store.read("f", 10)), ["a", "b"]);
});

test("read, flush and remove end while lines keep coming", async () => {
  const { store } = newStore();
  await whileLinesCome(store, "f", async () => {
    await within(store.read("f", 10), "read");
    await within(store.flush(), "flush");
    await within(store.remove("f"), "remove");
  });
});

test("flush writes what was appended before it", async () => {
  const { store, folder } = newStore();
  await whileLinesCome(store, "f", async () => {
    store.append("f", line("before"));
    await within(store.flush(), "flush");
    assert.ok(messages(await newStore(folder).store.read("f", 10_000)).includes("before"));
  });
});

test("read neither loses nor doubles a line while lines are written and the halves change places", async () => {
  const { store, faults, folder } = newStore();
  const text = "x".repeat(limits.logLineBytesMax);
  const batch = Math.floor(limits.logBytesPerFunctionMax / 8 / limits.logLineBytesMax);
  let appended = 0;
  const appendBatch = (): void => {
    for (let at = 0; at < batch; at += 1, appended += 1) store.append("f", line(`${appended} ${text}`));
  };
  for (let round = 0; round < 40; round += 1) {
    appendBatch();
    // Either a write is under way when the read begins, or one begins while it runs.
    if (round % 2 === 0) await nextTurn();
    else await store.flush();
    const before = appended;
    const reading = store.read("f", 10_000);
    appendBatch();
    const numbers = messages(await reading).map((message) => Number.parseInt(message, 10));
    const first = numbers[0] ?? 0;
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => first + at),
    );
    assert.ok((numbers.at(-1) ?? -1) >= before - 1, `${numbers.at(-1)} is the last of ${before}`);
    assert.ok(first === 0 || numbers.length >= 3 * batch, "about a half at least is kept");
    await store.flush();
  }
  const halves = await readdir(join(folder, "f"));
  assert.deepEqual(halves.sort(), ["newer.ndjson", "older.ndjson"]);
  const sizes = await Promise.all(halves.map(async (half) => (await stat(join(folder, "f", half))).size));
  assert.ok(sizes.reduce((sum, size) => sum + size) <= limits.logBytesPerFunctionMax, `${sizes}`);
  assert.deepEqual(faults, []);
});

test("lines beyond what memory may hold are counted in a line of their own", async () => {
  const { store, faults } = newStore();
  const text = "x".repeat(limits.logLineBytesMax);
  const total = Math.ceil(limits.logBytesPerFunctionMax / limits.logLineBytesMax);
  for (let at = 0; at < total; at += 1) store.append("f", line(text));
  await store.flush();
  const lines = await store.read("f", 10_000);
  const kept = lines.filter(({ message }) => message === text).length;
  assert.ok(kept > 0 && kept < total);
  assert.equal(lines.at(-1)?.message, `log cut: ${total - kept} lines could not be written`);
  assert.equal(lines.length, kept + 1);
  assert.deepEqual(faults, []);
});

test("after writes that failed, later lines are kept and the lost ones counted", async () => {
  const { store, faults, folder } = newStore();
  // A file where the folder should be: every write fails, whoever runs the test.
  await writeFile(folder, "");
  for (const message of ["a", "b"]) store.append("f", line(message));
  await store.flush();
  store.append("f", line("c"));
  await store.flush();
  assert.equal(faults.length, 2);
  await rm(folder);
  store.append("f", line("d"));
  await store.flush();
  const expected = ["d", "log cut: 3 lines could not be written"];
  assert.deepEqual(messages(await store.read("f", 10)), expected);
  store.append("f", line("e"));
  await store.flush();
  assert.deepEqual(messages(await newStore(folder).store.read("f", 10)), [...expected, "e"]);
  assert.equal(faults.length, 2);
});

test("a line cut by a crash takes no later line with it", async () => {
  const { store, folder } = newStore();
  store.append("f", line("a"));
  await store.flush();
  await writeFile(join(folder, "f", "newer.ndjson"), '{"time":"2026', { flag: "a" });
  const later = newStore(folder).store;
  later.append("f", line("b"));
  await later.flush();
  assert.deepEqual(messages(await later.read("f", 10)), ["a", "b"]);
});

test("a log whose folder was taken away begins again", async () => {
  const { store, faults, folder } = newStore();
  store.append("f", line("a"));
  await store.flush();
  await rm(folder, { recursive: true });
  store.append("f", line("b"));
  await store.flush();
  assert.deepEqual(messages(await store.read("f", 10)), ["b"]);
  assert.deepEqual(faults, []);
});

test("remove drops all lines, those that come meanwhile included, and leaves no folder", async () => {
  const { store, folder } = newStore();
  for (const pending of [[], [line("pending")]]) {
    store.append("f", line("on disk"));
    await store.flush();
    for (const each of pending) store.append("f", each);
    let ended = false;
    const removed = store.remove("f").finally(() => {
      ended = true;
    });
    while (!ended) {
      store.append("f", line("meanwhile"));
      await nextTurn();
    }
    await removed;
    await store.flush();
    assert.deepEqual(await store.read("f", 10), []);
    await assert.rejects(access(join(folder, "f")));
    store.append("f", line("of the next function"));
    assert.deepEqual(messages(await store.read("f", 10)), ["of the next function"]);
    await store.remove("f");
  }
});
