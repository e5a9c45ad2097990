// The promise: a blob that was acknowledged is there, whole, after `kill -9` of the host process, and one
// that was not is there whole or as it was before. Nothing is left behind. A seeded sample; `npm run soak`
// does it 50 times.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/http-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { SupervisedHost } from "./supervised-host.ts";

const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 50 : 2;
const writers = 4;

/** Bytes that tell which they are, longer than one write. */
const bytesOf = (writer: number, number: number): Buffer =>
  Buffer.alloc(50_000 + number, `${writer}-${number};`);

test(`blobs are what was acknowledged after a kill of the host process (${rounds} times)`, async (context) => {
  const random = seededRandom(context);
  await using host = await SupervisedHost.start();
  const port = Number(new URL(host.url).port);
  /** Of each writer: the last number that was acknowledged, 0 for none. */
  const acknowledged = new Array<number>(writers).fill(0);
  const sent = new Array<number>(writers).fill(0);
  let total = 0;
  for (let round = 0; round < rounds; round += 1) {
    let writing = true;
    const write = async (writer: number): Promise<void> => {
      const target = `/v1/blobs/kills/writer-${writer}`;
      while (writing) {
        const next = (sent[writer] ?? 0) + 1;
        sent[writer] = next;
        const put = await ask(port, "PUT", target, { body: bytesOf(writer, next) });
        assert.ok(put.status === 200 || put.status === 201, put.text);
        acknowledged[writer] = next;
        total += 1;
      }
    };
    const ended = Promise.allSettled(Array.from({ length: writers }, (_, writer) => write(writer)));
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 300));
    await host.killHost();
    writing = false;
    for (const outcome of await ended) {
      if (outcome.status === "rejected") assert.ok(!(outcome.reason instanceof assert.AssertionError));
    }
    const digests = new Set<string>();
    for (let writer = 0; writer < writers; writer += 1) {
      const { status, bytes } = await ask(port, "GET", `/v1/blobs/kills/writer-${writer}`);
      const [last = 0, next = 0] = [acknowledged[writer], sent[writer]];
      const found = [last, next].find((number) =>
        number === 0 ? status === 404 : status === 200 && bytes.equals(bytesOf(writer, number)),
      );
      assert.ok(found !== undefined, `writer ${writer}: ${last} was acknowledged, found ${status}`);
      if (found > 0) digests.add(createHash("sha256").update(bytes).digest("hex"));
      acknowledged[writer] = found;
      sent[writer] = found;
    }
    const files = await readdir(join(host.dataDir, "blobs"));
    assert.deepEqual(files.sort(), [...digests].sort(), "a file without a blob, or the reverse");
  }
  assert.ok(total > 0, "nothing was acknowledged");
  context.diagnostic(`${total} blobs were acknowledged`);
});
