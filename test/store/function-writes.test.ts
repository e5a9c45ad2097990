import assert from "node:assert/strict";
import { test } from "node:test";
import { functionConfigDefault } from "../../host/function.ts";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { FunctionWrites } from "../../host/store/sqlite/function-writes.ts";

const versionsMax = 2;

function writesInMemory() {
  const database = openForWriting(":memory:");
  const writes = new FunctionWrites(database, versionsMax);
  const deploy = (name: string, digest: string, metered = true) =>
    writes.deploy(
      {
        name,
        digest,
        abi: "assemblyscript",
        bytes: 1,
        createdAtMs: 0,
        freshCosts: { newUs: 20, resetUs: null },
        metered,
        files: null,
      },
      functionConfigDefault,
    );
  return { database, writes, deploy };
}

test("deploy names the digests that no version has any more", () => {
  const { deploy } = writesInMemory();
  assert.deepEqual(deploy("a", "one"), { created: true, version: 1, orphans: [] });
  assert.deepEqual(deploy("a", "two"), { created: true, version: 2, orphans: [] });
  assert.deepEqual(deploy("a", "three"), { created: true, version: 3, orphans: ["one"] });
});

test("deploy keeps bytes that another function has", () => {
  const { deploy } = writesInMemory();
  deploy("a", "one");
  deploy("b", "one");
  deploy("a", "two");
  assert.deepEqual(deploy("a", "three").orphans, []);
});

test("remove names the digests that no other function has", () => {
  const { deploy, writes } = writesInMemory();
  deploy("a", "one");
  deploy("a", "two");
  deploy("b", "two");
  assert.deepEqual(writes.remove("a"), ["one"]);
  assert.deepEqual(writes.remove("b"), ["two"]);
  assert.throws(() => writes.remove("b"), { code: "function_not_found" });
});

test("the same bytes stay one version when another Mayfly can meter them", () => {
  const { database, deploy } = writesInMemory();
  const metered = (): unknown =>
    database.prepare("SELECT metered FROM versions WHERE name = 'a'").get()?.["metered"];
  deploy("a", "one", false);
  assert.equal(metered(), 0);
  assert.deepEqual(deploy("a", "one"), { created: false, version: 1, orphans: [] });
  assert.equal(metered(), 1);
});
