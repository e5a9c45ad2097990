import assert from "node:assert/strict";
import { test } from "node:test";
import { functionConfigDefault } from "../../host/function.ts";
import { AliasWrites } from "../../host/store/sqlite/alias-writes.ts";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { EventWrites } from "../../host/store/sqlite/event-writes.ts";
import { FunctionWrites } from "../../host/store/sqlite/function-writes.ts";
import { NamespaceRoom } from "../../host/store/sqlite/namespace-room.ts";

const versionsMax = 2;

function writesInMemory() {
  const database = openForWriting(":memory:");
  const aliases = new AliasWrites(database, new EventWrites(database));
  const writes = new FunctionWrites(database, versionsMax, aliases, new NamespaceRoom(database));
  const deploy = (name: string, digest: string, { metered = true, isLive = true } = {}) =>
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
      isLive,
    );
  return { database, writes, aliases, deploy };
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
  deploy("a", "one", { metered: false });
  assert.equal(metered(), 0);
  assert.deepEqual(deploy("a", "one"), { created: false, version: 1, orphans: [] });
  assert.equal(metered(), 1);
});

test("what an alias names outlives the limit, and what it named before", () => {
  const { database, aliases, deploy } = writesInMemory();
  const kept = (): unknown[] =>
    database
      .prepare("SELECT version FROM versions ORDER BY version")
      .all()
      .map(({ version }) => version);
  deploy("a", "one");
  aliases.point("a", "first", 1);
  deploy("a", "two");
  deploy("a", "three");
  assert.deepEqual(kept(), [1, 2, 3], "live was 2 before");
  assert.deepEqual(deploy("a", "four"), { created: true, version: 4, orphans: ["two"] });
  const canary = { version: 3, share: 1_000, guard: null };
  aliases.put("a", "live", { version: 4, canary, sticky: null }, "any");
  deploy("a", "five", { isLive: false });
  assert.deepEqual(kept(), [1, 3, 4, 5]);
  assert.deepEqual(deploy("a", "six", { isLive: false }).orphans, ["five"]);
  aliases.remove("a", "first", "any");
  assert.deepEqual([...deploy("a", "seven", { isLive: false }).orphans].sort(), ["one", "six"]);
});

test("a function goes with its aliases and versions", () => {
  const { database, writes, aliases, deploy } = writesInMemory();
  deploy("a", "one");
  aliases.point("a", "first", 1);
  writes.remove("a");
  assert.deepEqual(database.prepare("SELECT * FROM aliases").all(), []);
  assert.deepEqual(database.prepare("SELECT * FROM versions").all(), []);
});
