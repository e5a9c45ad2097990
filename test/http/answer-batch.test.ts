// Answers that are written together: in their order, all in the turn of the event loop they came in.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { AnswerBatch } from "../../host/http/answer-batch.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("few are written before the event loop turns, in their order", async () => {
  const batch = new AnswerBatch();
  const written: number[] = [];
  for (let answer = 0; answer < 3; answer += 1) batch.add(() => void written.push(answer));
  assert.equal(written.length, 0);
  await turn();
  assert.deepEqual(written, [0, 1, 2]);
  batch.add(() => void written.push(3));
  await turn();
  assert.deepEqual(written, [0, 1, 2, 3]);
});

test("many do not wait for the rest, and none is written twice", async () => {
  const batch = new AnswerBatch();
  const written: number[] = [];
  for (let answer = 0; answer < 20; answer += 1) batch.add(() => void written.push(answer));
  assert.deepEqual(written, [...Array(16).keys()]);
  await turn();
  await turn();
  assert.deepEqual(written, [...Array(20).keys()]);
});

test("one that is added by another comes after it", async () => {
  const batch = new AnswerBatch();
  const written: string[] = [];
  batch.add(() => {
    written.push("first");
    batch.add(() => void written.push("second"));
  });
  await turn();
  await turn();
  assert.deepEqual(written, ["first", "second"]);
});
