// A27: a module that was valid under another engine is found after the start and fails alone.

import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { digestOf } from "../../host/store/files/artifact-store.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, assemble } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

test("A27: a stored module that this Node refuses is named after the start, and fails alone", async () => {
  const first = await TestHost.start();
  await first.deploy("broken", answering("fine"));
  await first.deploy("sound", answering("sound"));
  const { dataDir } = first;
  await first.close({ keepData: true });

  // What an engine that knew another feature would have let in: here, a second memory.
  const bytes = assemble(
    `(module (memory (export "memory") 1) (memory 1) (func (export "mayfly_handle") (param i32)))`,
    { multi_memory: true },
  );
  const file = (digest: string): string => join(dataDir, "modules", `${digest.replace(":", "-")}.wasm`);
  const database = new DatabaseSync(join(dataDir, "mayfly.db"));
  database.prepare("UPDATE versions SET digest = ? WHERE name = 'broken'").run(digestOf(bytes));
  database.close();
  await writeFile(file(digestOf(bytes)), bytes);
  await writeFile(join(dataDir, "engine"), "node v0.0.0");

  const second = await TestHost.start({ dataDir });
  await until(() => second.faults.some((line) => line.includes("broken@1 cannot run")), 10_000);
  assert.ok(!second.faults.some((line) => line.includes("sound@1")));
  assertProblem(await second.call("broken"), 500, "internal");
  assert.equal((await second.call("sound")).text, "sound");
  assert.equal((await second.ask("GET", "/readyz")).status, 200);
  await second.close({ expectFaults: true, keepData: true });

  // The pass is done: the next start under the same engine looks at nothing.
  await rename(file(digestOf(bytes)), `${file(digestOf(bytes))}.gone`);
  const third = await TestHost.start({ dataDir });
  assert.equal((await third.call("sound")).text, "sound");
  await third.close();
  await rm(dataDir, { recursive: true, force: true });
});
