import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleLru } from "../host/module-lru.ts";

const entry = (moduleBytes: number) => ({ moduleBytes });

test("ModuleLru lets the least recently used go beyond its count", () => {
  const lru = new ModuleLru({ count: 2, bytes: 100 });
  lru.put("a", entry(1));
  lru.put("b", entry(1));
  lru.get("a");
  lru.put("c", entry(1));
  assert.deepEqual(
    ["a", "b", "c"].map((key) => lru.get(key) !== undefined),
    [true, false, true],
  );
});

test("ModuleLru lets go beyond its bytes, as many as it takes", () => {
  const lru = new ModuleLru({ count: 10, bytes: 100 });
  for (const key of ["a", "b", "c"]) lru.put(key, entry(30));
  lru.put("d", entry(70));
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => lru.get(key) !== undefined),
    [false, false, true, true],
  );
});

test("ModuleLru counts an entry that is put again or dropped once", () => {
  const lru = new ModuleLru({ count: 10, bytes: 100 });
  for (let turn = 0; turn < 5; turn += 1) lru.put("a", entry(60));
  lru.drop("a");
  lru.drop("a");
  lru.put("b", entry(50));
  lru.put("c", entry(50));
  assert.equal(lru.count, 2);
  assert.equal(lru.get("a"), undefined);
});
