// Which compiled modules are kept, and that they are read once for all who want them at the same time.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Modules } from "../../host/invoke/modules.ts";
import { Rewriter } from "../../host/wasm/rewriter.ts";
import { answering } from "../support/guests.ts";

const form = (digest: string) => ({ digest, metered: true, files: null, abi: "assemblyscript" as const });

function modulesOf(warmMax: number) {
  const reads: string[] = [];
  const artifacts = {
    read: async (digest: string) => {
      reads.push(digest);
      return new Uint8Array(answering(digest));
    },
    put: () => assert.fail("nothing is stored"),
    remove: () => assert.fail("nothing is removed"),
    retain: () => assert.fail("nothing is removed"),
  };
  return { modules: new Modules(artifacts, new Rewriter(), warmMax), reads };
}

test("a module is read once for all calls that want it, and says what it took to the first", async () => {
  const { modules, reads } = modulesOf(2);
  const [one, other] = await Promise.all([modules.get(form("a")), modules.get(form("a"))]);
  assert.equal(one.loaded, other.loaded);
  assert.ok(one.loadMs !== undefined && one.compileMs !== undefined);
  assert.deepEqual(modules.get(form("a")), { loaded: one.loaded });
  assert.deepEqual(reads, ["a"]);
});

test("of those that nobody has called the last ones deployed are kept, and of those that were called all", async () => {
  const { modules, reads } = modulesOf(2);
  await modules.warm(form("called"));
  modules.get(form("called"));
  for (const digest of ["a", "b", "c"]) await modules.warm(form(digest));
  assert.equal(modules.count, 3);
  assert.deepEqual(reads, ["called", "a", "b", "c"]);
  for (const digest of ["called", "b", "c"])
    assert.ok(!(modules.get(form(digest)) instanceof Promise), digest);
  const again = modules.get(form("a"));
  assert.ok(again instanceof Promise);
  assert.ok((await again).compileMs !== undefined);
  assert.equal(modules.count, 4);
});

test("what is kept is not loaded again to be warm, and what is dropped is", async () => {
  const { modules, reads } = modulesOf(2);
  await modules.get(form("called"));
  await modules.warm(form("called"));
  await modules.warm(form("warm"));
  await modules.warm(form("warm"));
  assert.deepEqual(reads, ["called", "warm"]);
  modules.drop("called");
  modules.drop("warm");
  assert.equal(modules.count, 0);
  await modules.warm(form("called"));
  assert.deepEqual(reads, ["called", "warm", "called"]);
});
