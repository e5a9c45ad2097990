// What triggers are told of changes to stores and buckets, in the transaction of the change itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { limits } from "../../host/limits.ts";
import { BlobWrites } from "../../host/store/sqlite/blob-writes.ts";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { EventWrites } from "../../host/store/sqlite/event-writes.ts";
import { KvWrites } from "../../host/store/sqlite/kv-writes.ts";
import { NamespaceRoom } from "../../host/store/sqlite/namespace-room.ts";
import { parseTrigger } from "../../host/trigger.ts";

type Told = {
  attributes: Record<string, string>;
  data: Record<string, unknown>;
  trigger: string;
  depth: number;
};

function inMemory() {
  const database = openForWriting(":memory:");
  database.exec(`INSERT INTO functions (name, config_json) VALUES ('f', '{}');
    INSERT INTO versions (name, version, digest, abi, size_bytes, created_at_ms) VALUES ('f', 1, 'one', 'wasi', 1, 0);
    INSERT INTO aliases (function, alias, version, revision, changed_at_ms) VALUES ('f', 'live', 1, 1, 0)`);
  const events = new EventWrites(database);
  const clock = { ms: 1_000 };
  const listen = (trigger: string, settings: object) =>
    events.putTrigger({ function: "f", trigger }, parseTrigger(settings));
  /** What has been told since it was last asked. */
  const told = (): Told[] => {
    const rows = database
      .prepare(
        `SELECT d.trigger, e.attributes_json, e.data, e.depth FROM deliveries d JOIN events e ON e.id = d.event
         ORDER BY d.id`,
      )
      .all();
    database.exec("DELETE FROM deliveries; DELETE FROM events");
    return rows.map((row) => ({
      trigger: String(row["trigger"]),
      attributes: JSON.parse(String(row["attributes_json"])),
      data: JSON.parse(Buffer.from(row["data"] as Uint8Array).toString()),
      depth: Number(row["depth"]),
    }));
  };
  const room = new NamespaceRoom(database);
  const kv = new KvWrites(database, events, room, () => clock.ms);
  const set = (key: string, value: string | Uint8Array, cause = { depth: 0, room: 100 }, ttlMs = 0) =>
    kv.set(
      {
        store: "s",
        key,
        value: Buffer.from(value),
        expiresAtMs: ttlMs === 0 ? null : clock.ms + ttlMs,
        condition: "any",
      },
      cause,
    );
  return { database, clock, events, listen, told, kv, set, blobs: new BlobWrites(database, events, room) };
}

const cause = { depth: 0, room: 100 };
const failsWith = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("each kind of change of a key is told, to those that asked for it, with values if asked", () => {
  const { clock, listen, told, kv, set } = inMemory();
  listen("all", { kind: "kv", store: "s", prefix: "a/", values: true });
  listen("set-only", { kind: "kv", store: "s", on: ["set"] });
  listen("other-store", { kind: "kv", store: "t" });
  const first = set("a/k", "old");
  assert.equal(first.published.deliveries, 2);
  const [all, plain] = told();
  assert.deepEqual(all?.data, {
    store: "s",
    key: "a/k",
    version: first.version,
    value: "old",
    oldValue: null,
  });
  assert.deepEqual(plain?.data, { store: "s", key: "a/k", version: first.version });
  const { id, time, ...attributes } = all?.attributes ?? {};
  assert.deepEqual(attributes, {
    source: "/kv/s",
    type: "mayfly.kv.set",
    subject: "a/k",
    datacontenttype: "application/json",
  });
  // One change is one event, in whatever detail.
  assert.equal(plain?.attributes["id"], id);
  assert.ok(Math.abs(Date.parse(time ?? "") - Date.now()) < 60_000);
  set("a/k", "new", cause, 10);
  assert.deepEqual([told()[0]?.data["oldValue"], kv.delete("s", "b/k", "any", cause).found], ["old", false]);
  clock.ms += 10;
  assert.equal(kv.expire(10, cause).published.deliveries, 1);
  const [expired] = told();
  assert.deepEqual(
    [expired?.attributes["type"], expired?.data["oldValue"], expired?.data["value"]],
    ["mayfly.kv.expired", "new", null],
  );
  kv.increment("s", "a/n", 7n, cause);
  assert.equal(told()[0]?.data["value"], "7");
  kv.delete("s", "a/n", "any", cause);
  assert.deepEqual(
    told().map(({ trigger, attributes: { type } }) => [trigger, type]),
    [["all", "mayfly.kv.deleted"]],
  );
});

test("a key that is found expired by another change is told as expired, then as set", () => {
  const { clock, listen, told, set } = inMemory();
  listen("t", { kind: "kv", store: "s" });
  set("k", "1", cause, 5);
  clock.ms += 5;
  assert.equal(set("k", "2").published.deliveries, 2);
  assert.deepEqual(
    told().map(({ attributes }) => attributes["type"]),
    ["mayfly.kv.set", "mayfly.kv.expired", "mayfly.kv.set"],
  );
});

test("keys that expire while the queue is full stay until it can be told of them, and others go", () => {
  const { clock, kv, set, listen, told, database } = inMemory();
  listen("t", { kind: "kv", store: "s", prefix: "listened/", on: ["expired"] });
  for (const key of ["listened/1", "other/1", "listened/2", "listened/3", "other/2"])
    set(key, "x", cause, 10);
  clock.ms += 10;
  const keys = () => database.prepare("SELECT count(*) AS keys FROM kv").get()?.["keys"];
  const { removed, untold, published } = kv.expire(10, { depth: 0, room: 1 });
  assert.deepEqual([removed, untold, published.deliveries, keys()], [3, 2, 1, 2]);
  assert.deepEqual(
    told().map(({ data }) => data["key"]),
    ["listened/1"],
  );
  assert.deepEqual([kv.expire(10, cause).removed, keys(), told().length], [2, 0, 2]);
});

test("values that are no text are in base64, and those that are too large are left out", () => {
  const { listen, told, set } = inMemory();
  listen("t", { kind: "kv", store: "s", values: true });
  set("k", Uint8Array.of(0xff, 0x00));
  set("k", "x".repeat(limits.eventBytesMax));
  const [bytes, large] = told();
  assert.deepEqual([bytes?.data["valueBase64"], bytes?.data["oldValue"]], ["/wA=", null]);
  assert.deepEqual([large?.data["valuesTooLarge"], "value" in (large?.data ?? {})], [true, false]);
  // At worst: a key of control characters beside values that just fit.
  const key = "\u0001".repeat(limits.kvKeyBytesMax);
  set(key, "y".repeat(limits.eventBytesMax - 10 * limits.kvKeyBytesMax - 40));
  const [worst] = told();
  assert.equal(typeof worst?.data["value"], "string");
  const texts = [JSON.stringify(worst?.data), ...Object.entries(worst?.attributes ?? {}).flat()];
  assert.ok(texts.join("").length < limits.eventBytesMax);
  assert.equal(worst?.data["key"], key);
  assert.doesNotMatch(worst?.attributes["subject"] ?? "", /\p{Cc}/u);
});

test("a change whose event cannot be stored does not take place either", () => {
  const { database, listen, told, set } = inMemory();
  listen("one", { kind: "kv", store: "s" });
  listen("two", { kind: "kv", store: "s", values: true });
  database.exec("SAVEPOINT before");
  assert.throws(() => set("k", "1", { depth: 0, room: 1 }), failsWith("queue_full"));
  // The writer thread does this for whatever throws.
  database.exec("ROLLBACK TO before");
  assert.deepEqual([told(), database.prepare("SELECT * FROM kv").all()], [[], []]);
  assert.throws(() => set("k", "1", { depth: limits.callDepthMax, room: 9 }), failsWith("too_deep"));
  assert.equal(set("k", "1", { depth: limits.callDepthMax - 1, room: 2 }).published.deliveries, 2);
  assert.equal(told()[0]?.depth, limits.callDepthMax);
});

test("blobs are told by bucket, prefix and suffix, deletions to those that asked", () => {
  const { listen, told, blobs } = inMemory();
  listen("png", { kind: "blob", bucket: "b", prefix: "in/", suffix: ".png" });
  listen("gone", { kind: "blob", bucket: "b", on: ["deleted"] });
  const blob = {
    bucket: "b",
    digest: "d".repeat(64),
    bytes: 3,
    contentType: "image/png",
    metadata: { by: "Ada" },
  };
  const keys = ["in/a.png", "in/a.jpg", "out/a.png"];
  blobs.put(
    keys.map((key) => ({ ...blob, key })),
    "any",
    cause,
  );
  const [created, ...others] = told();
  assert.deepEqual(others, []);
  assert.equal(created?.attributes["type"], "mayfly.blob.created");
  assert.deepEqual(created?.data, {
    bucket: "b",
    key: "in/a.png",
    bytes: 3,
    contentType: "image/png",
    digest: `sha256:${"d".repeat(64)}`,
    metadata: { by: "Ada" },
  });
  blobs.delete("b", "out/a.png", "any", cause);
  assert.deepEqual(
    told().map(({ trigger, attributes }) => [trigger, attributes["type"], attributes["subject"]]),
    [["gone", "mayfly.blob.deleted", "out/a.png"]],
  );
});

test("an instant is fired once, and a clock that was a year ahead stops no later one", () => {
  const { database, events, listen, told } = inMemory();
  listen("t", { kind: "schedule", cron: "* * * * *" });
  const id = Number(database.prepare("SELECT id FROM triggers").get()?.["id"]);
  const start = Date.now() + 60_000;
  const fire = (atMs: number): number => {
    const event = {
      attributes: { id: String(atMs), source: "/s", type: "t" },
      data: Buffer.from("1"),
      depth: 1,
    };
    events.fire(id, [{ atMs, event }], atMs);
    return told().length;
  };
  assert.deepEqual([fire(start), fire(start), fire(start - 60_000)], [1, 0, 0]);
  assert.equal(fire(start + 365 * 86_400_000), 1);
  assert.deepEqual([fire(start + 60_000), fire(start + 60_000)], [1, 0]);
});

test("an ordered trigger keeps the changes of one key in order", () => {
  const { database, listen, set } = inMemory();
  listen("t", { kind: "kv", store: "s", ordered: true });
  set("a", "1");
  set("b", "1");
  set("a", "2");
  const keys = database.prepare("SELECT order_key FROM deliveries ORDER BY id").all();
  assert.deepEqual(
    keys.map((row) => row["order_key"]),
    ["/kv/s a", "/kv/s b", "/kv/s a"],
  );
});

test("a trigger that listens to nothing that there is is refused", () => {
  for (const settings of [
    { kind: "kv" },
    { kind: "kv", store: "No Store" },
    { kind: "kv", store: "s", on: [] },
    { kind: "kv", store: "s", on: ["created"] },
    { kind: "kv", store: "s", suffix: "x" },
    { kind: "blob", bucket: "b", on: ["set"] },
    { kind: "blob", bucket: "b", prefix: "x".repeat(1_025) },
    { kind: "blob", store: "b" },
  ]) {
    assert.throws(() => parseTrigger(settings), failsWith("invalid_trigger"), JSON.stringify(settings));
  }
});
