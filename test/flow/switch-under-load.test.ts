// A switch of the live version loses no call, and no answer is from a version that was not live during its
// request. A sample; `npm run soak` has 100 switches under 5,000 calls a second.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { switchUnderLoad } from "../../bench/switching-load.ts";
import { answering } from "../support/guests.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { TestHost } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
const host = await TestHost.start();
after(() => host.close());

const load = {
  url: host.host.url,
  callsPerSecond: soak ? 5_000 : 300,
  switches: soak ? 100 : 12,
  restMs: soak ? 50 : 20,
  connections: 32,
};

test("a switch under load loses no call and answers by what is live", async () => {
  for (const version of [1, 2, 3]) await host.deploy("switched", answering(`v${version}`));
  const result = await switchUnderLoad({ ...load, name: "switched", versions: [3, 1, 2] });
  assert.deepEqual([result.failed, result.wrong], [[], []]);
  assert.deepEqual([...result.byVersion.keys()].sort(), [1, 2, 3]);
  assert.equal(
    result.calls,
    [...result.byVersion.values()].reduce((sum, count) => sum + count, 0),
  );
});

test("deploys under load lose no call", async () => {
  await host.deploy("deployed", answering("v1"));
  const deploys = (async () => {
    for (let version = 2; version <= (soak ? 40 : 5); version += 1) {
      await host.deploy("deployed", answering(`v${version}`));
    }
  })();
  const calls: Promise<string>[] = [];
  let isOver = false;
  void deploys.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    calls.push(host.call("deployed").then(({ status, text }) => `${status} ${text}`));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await deploys;
  for (const answer of await Promise.all(calls)) assert.match(answer, /^200 v\d+$/);
});

test("a call that was begun on a version whose bytes are removed ends on it", async () => {
  // More than are kept, so that the first one goes while its call still waits for the rest of its body.
  const keep = 2;
  const own = await TestHost.start({ versionsMax: keep });
  try {
    await own.deploy("pruned", answering("v1"));
    await own.configure("pruned", { timeoutMs: 300_000 });
    const connection = await RawConnection.open(own.port);
    connection.write("POST /fn/pruned HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n");
    connection.write("Expect: 100-continue\r\n\r\n");
    assert.equal((await connection.answer())?.status, 100);
    // It never stands still, however long the deploys take.
    const body = setInterval(() => connection.write("1\r\na\r\n"), 200).unref();
    const kept = () => readdir(join(own.dataDir, "modules"));
    for (let version = 2; version <= 5; version += 1) {
      await own.deploy("pruned", answering(`v${version}`));
    }
    assert.equal((await own.ask("GET", "/fn/pruned@1")).status, 404);
    assert.equal((await kept()).length, keep + 1, "4, 5 and what is held of 1");
    clearInterval(body);
    connection.write("0\r\n\r\n");
    const answer = await connection.answer();
    assert.equal(`${answer?.status} ${answer?.body}`, "200 v1");
    connection.close();
    await until(async () => (await kept()).length === keep, 20_000);
  } finally {
    await own.close();
  }
});
