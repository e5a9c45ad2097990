import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  clearRunning,
  markExpectedEnd,
  RunningRecord,
  readRunning,
  releaseThreadSlot,
  takeThreadSlot,
} from "../../host/worker/running-record.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-record-"));
after(() => rmSync(folder, { recursive: true }));

test("the record holds what each thread runs, until the thread is gone", () => {
  const file = join(folder, "threads");
  clearRunning(file);
  const slots = new Int32Array(new SharedArrayBuffer(16));
  const [first, second] = [takeThreadSlot(slots, 11), takeThreadSlot(slots, 12)];
  new RunningRecord(first, file).begin(7);
  new RunningRecord(second, file).begin(8);
  assert.deepEqual(readRunning(file), [7, 8]);
  releaseThreadSlot(slots, 11, file);
  assert.deepEqual(readRunning(file), [8]);
  assert.equal(takeThreadSlot(slots, 13), first);
});

test("the record of a process that expected to end blames nobody, the next one does again", () => {
  const file = join(folder, "expected");
  clearRunning(file);
  const record = new RunningRecord(0, file);
  record.begin(7);
  markExpectedEnd(file);
  assert.deepEqual(readRunning(file), []);
  // A thread that still runs may write on.
  record.begin(9);
  assert.deepEqual(readRunning(file), []);
  clearRunning(file);
  new RunningRecord(0, file).begin(7);
  assert.deepEqual(readRunning(file), [7]);
});

test("an expected end without a record is none to fail at", () => {
  markExpectedEnd(join(folder, "absent"));
  assert.deepEqual(readRunning(join(folder, "absent")), []);
});

test("a table of threads that is full says so", () => {
  const slots = new Int32Array(new SharedArrayBuffer(4));
  takeThreadSlot(slots, 1);
  assert.throws(() => takeThreadSlot(slots, 2), /More than 1 threads/);
});
