// Functions and versions in SQLite: what is written is there after a close, and whole.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { functionConfigDefault } from "../../host/function.ts";
import { openStores } from "../../host/store/sqlite/stores.ts";

test("a name counts as a function while it has a live version", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-store-"));
  const { functions, close } = await openStores(join(folder, "mayfly.db"), assert.fail);
  const freshCosts = { newUs: 20, resetUs: null };
  const version = {
    abi: "assemblyscript",
    metered: true,
    files: null,
    bytes: 1,
    createdAtMs: 0,
    freshCosts,
  } as const;
  const counts = (): number[] => [functions.count(), functions.list().length];
  assert.deepEqual(counts(), [0, 0]);
  await functions.putConfig("configured", functionConfigDefault);
  assert.deepEqual(counts(), [0, 0]);
  await functions.deploy({ name: "a", digest: "one", ...version });
  await functions.deploy({ name: "b", digest: "one", ...version });
  await functions.deploy({ name: "b", digest: "two", ...version });
  assert.deepEqual(counts(), [2, 2]);
  await functions.remove("a");
  assert.deepEqual(counts(), [1, 1]);
  await close();
  await rm(folder, { recursive: true });
});
