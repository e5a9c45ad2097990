// The promise: `kill -9` of the host process at any moment of a deploy leaves the old version or the
// new one, whole, and nothing else behind. A seeded sample; `npm run soak` does it 1,000 times.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ask } from "../support/http-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { answering } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 1_000 : 3;

test(`a host process killed inside a deploy leaves the old or the new version (${rounds} times)`, async (context) => {
  const random = seededRandom(context);
  await using host = await SupervisedHost.start();
  assert.equal((await host.deploy("target", answering("version 0"))).status, 201);
  const port = Number(new URL(host.url).port);
  let live = 0;
  let interrupted = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const deploying = host.deploy("target", answering(`version ${round}`)).then(
      (answer) => answer.status,
      () => null,
    );
    await new Promise((resolve) => setTimeout(resolve, random() * 400));
    await host.killHost();
    const status = await deploying;
    if (status === null) interrupted += 1;
    // On a connection of its own: an open one may have been the dead process's.
    const { text } = await ask(port, "GET", "/fn/target");
    const found = Number(/^version (\d+)$/.exec(text)?.[1]);
    assert.ok(
      found === live || found === round,
      `round ${round}: live was ${live}, found ${JSON.stringify(text)}`,
    );
    if (status === 201 || status === 200) assert.equal(found, round, "an acknowledged deploy is lost");
    live = found;
  }
  context.diagnostic(`${interrupted} of ${rounds} deploys were cut off before their answer`);
  const shown = (await ask(port, "GET", "/v1/functions/target/versions")).json() as {
    versions: { version: number; digest: string; live: boolean }[];
  };
  assert.equal(shown.versions.filter((version) => version.live).length, 1);
  const digests = new Set(shown.versions.map(({ digest }) => `${digest.replace(":", "-")}.wasm`));
  await until(async () => {
    const files = await readdir(join(host.dataDir, "modules"));
    return files.length === digests.size && files.every((file) => digests.has(file));
  }, 10_000);
});
