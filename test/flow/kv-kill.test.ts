// The promise: a change of a key that was answered is there after `kill -9` of the host process, and one
// that was not answered took place whole or not at all. A seeded sample; `npm run soak` does it 50 times.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/http-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { SupervisedHost } from "./supervised-host.ts";

const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 50 : 2;
const writers = 8;

test(`keys are what was acknowledged after a kill of the host process (${rounds} times)`, async (context) => {
  const random = seededRandom(context);
  await using host = await SupervisedHost.start();
  const port = Number(new URL(host.url).port);
  /** Of each writer: the last number that was acknowledged, and the one it sent after that. */
  const acknowledged = new Array<number>(writers).fill(0);
  const sent = new Array<number>(writers).fill(0);
  let [sumLeast, sumMost] = [0, 0];
  let total = 0;
  for (let round = 0; round < rounds; round += 1) {
    let writing = true;
    const write = async (writer: number): Promise<void> => {
      while (writing) {
        const next = (sent[writer] ?? 0) + 1;
        sent[writer] = next;
        sumMost += 1;
        const set = await ask(port, "PUT", `/v1/kv/kills/writer-${writer}`, { body: String(next) });
        assert.ok(set.status === 200 || set.status === 201, set.text);
        acknowledged[writer] = next;
        const added = await ask(port, "POST", "/v1/kv/kills/sum?increment=1");
        assert.equal(added.status, 200, added.text);
        sumLeast += 1;
        total += 1;
      }
    };
    // The connection breaks when the process is killed: that ends a writer.
    const ended = Promise.allSettled(Array.from({ length: writers }, (_, writer) => write(writer)));
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 300));
    await host.killHost();
    writing = false;
    for (const outcome of await ended) {
      if (outcome.status === "rejected") assert.ok(!(outcome.reason instanceof assert.AssertionError));
    }
    for (let writer = 0; writer < writers; writer += 1) {
      const { status, text } = await ask(port, "GET", `/v1/kv/kills/writer-${writer}`);
      const found = status === 404 ? 0 : Number(text);
      const [last = 0, next = 0] = [acknowledged[writer], sent[writer]];
      assert.ok(
        found === last || found === next,
        `writer ${writer}: ${last} was acknowledged, found ${text}`,
      );
      acknowledged[writer] = found;
      sent[writer] = found;
    }
    const { status, text } = await ask(port, "GET", "/v1/kv/kills/sum");
    const sum = status === 404 ? 0 : Number(text);
    assert.ok(sum >= sumLeast && sum <= sumMost, `${sumLeast} to ${sumMost} were added, found ${text}`);
    [sumLeast, sumMost] = [sum, sum];
  }
  assert.ok(total > 0, "nothing was acknowledged");
  context.diagnostic(`${total} pairs of changes were acknowledged`);
});
