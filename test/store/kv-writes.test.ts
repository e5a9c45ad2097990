// Key-value changes as the writer thread makes them, under a clock of the test's own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { EventWrites } from "../../host/store/sqlite/event-writes.ts";
import { KvWrites } from "../../host/store/sqlite/kv-writes.ts";
import { NamespaceRoom } from "../../host/store/sqlite/namespace-room.ts";

const cause = { depth: 0, room: 100 };

function inMemory() {
  const database = openForWriting(":memory:");
  const clock = { ms: 1_000 };
  const writes = new KvWrites(
    database,
    new EventWrites(database),
    new NamespaceRoom(database),
    () => clock.ms,
  );
  const set = (key: string, value: string, expiresAtMs: number | null = null) =>
    writes.set({ store: "s", key, value: Buffer.from(value), expiresAtMs, condition: "any" }, cause);
  const keys = () => database.prepare("SELECT count(*) AS keys FROM kv").get()?.["keys"];
  return { clock, writes, set, keys };
}

const failsWith = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("a key that has expired is absent for every change", () => {
  const { clock, writes, set } = inMemory();
  const swap = { store: "s", key: "k", value: Buffer.from("new"), expiresAtMs: null };
  set("k", "7", 1_500);
  clock.ms = 1_499;
  assert.equal(set("k", "7", 1_500).created, false);
  assert.equal(writes.compareAndSet({ ...swap, expected: null }, cause).version, null);
  clock.ms = 1_500;
  assert.equal(set("k", "7", 1_600).created, true);
  clock.ms = 1_600;
  assert.equal(writes.delete("s", "k", "any", cause).found, false);
  set("k", "7", 1_700);
  clock.ms = 1_700;
  assert.equal(writes.increment("s", "k", 1n, cause).sum, 1n);
  set("k", "7", 1_800);
  clock.ms = 1_800;
  assert.throws(() => writes.delete("s", "k", "present", cause), failsWith("precondition_failed"));
  assert.ok(writes.compareAndSet({ ...swap, expected: null }, cause).version !== null);
});

test("an increment keeps the expiry, and a set without one ends it", () => {
  const { clock, writes, set } = inMemory();
  set("k", "1", 2_000);
  writes.increment("s", "k", 1n, cause);
  clock.ms = 2_000;
  assert.equal(writes.increment("s", "k", 1n, cause).sum, 1n);
  set("k", "1", 3_000);
  set("k", "1");
  clock.ms = 9_000;
  assert.equal(writes.increment("s", "k", 1n, cause).sum, 2n);
});

test("expire removes what has expired, no more at a time than it may, and nothing else", () => {
  const { clock, writes, set, keys } = inMemory();
  for (let index = 0; index < 5; index += 1) set(`k${index}`, "x", 2_000 + index);
  set("stays", "x");
  clock.ms = 2_003;
  assert.equal(writes.expire(3, cause).removed, 3);
  assert.equal(writes.expire(3, cause).removed, 1);
  assert.equal(writes.expire(3, cause).removed, 0);
  assert.equal(keys(), 2);
});

test("versions rise with every change, whatever the key and the store", () => {
  const { writes, set } = inMemory();
  const versions = [set("a", "1").version, set("b", "1").version];
  writes.increment("s", "a", 1n, cause);
  writes.delete("s", "b", "any", cause);
  versions.push(set("b", "1").version, set("a", "1").version);
  assert.deepEqual(
    versions,
    [...versions].sort((one, other) => one - other),
  );
  assert.equal(new Set(versions).size, versions.length);
});
