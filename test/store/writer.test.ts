import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { Writer } from "../../host/store/sqlite/writer.ts";

test("Writer tells once that its thread has ended unasked, and refuses what comes then", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-writer-"));
  let thread: Worker | null = null;
  process.once("worker", (worker) => {
    thread = worker;
  });
  const lost: Error[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const writer = await Writer.start({ file: join(folder, "mayfly.db"), versionsMax: 2 }, (error) => {
    lost.push(error);
    resolve();
  });
  // Told to end before it is told to write, which it might do in no time.
  const ending = (thread as Worker | null)?.terminate();
  const waiting = assert.rejects(writer.write("functions", "clearSuspect", 1), /thread has ended/);
  await ending;
  await promise;
  await waiting;
  await assert.rejects(writer.write("functions", "clearSuspect", 1), /thread has ended/);
  await writer.close();
  assert.equal(lost.length, 1);
  await rm(folder, { recursive: true });
});

test("Writer tells nothing when it is closed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-writer-"));
  const lost: Error[] = [];
  const writer = await Writer.start({ file: join(folder, "mayfly.db"), versionsMax: 2 }, (error) =>
    lost.push(error),
  );
  await writer.write("functions", "clearSuspect", 1);
  await writer.close();
  assert.deepEqual(lost, []);
  await rm(folder, { recursive: true });
});
