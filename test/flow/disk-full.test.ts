// A data folder whose disk is full, on a file system of a few MiB: nothing is acknowledged that is not
// stored, reads and calls go on, and so does everything once there is room.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-small-"));
let mounted = false;
try {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], { stdio: "ignore" });
  mounted = true;
} catch {
  // Only the superuser may; the test says so.
}
after(() => {
  if (mounted) execFileSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true, force: true });
});

test("a full disk is 507 for what would be stored, and nothing else", {
  skip: mounted ? false : "no small file system can be mounted here",
}, async () => {
  const host = await TestHost.start({ dataDir: join(folder, "data") });
  const module = await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts"));
  await host.deploy("later", module);
  await host.deploy("hello", answering("still here"));
  const trigger = { kind: "topic", topic: "t", paused: true };
  await host.send("PUT", "/v1/functions/later/triggers/t", trigger);
  const before = await host.ask("PUT", "/v1/kv/s/before", { body: "stored" });
  assert.equal(before.status, 201);
  const filler = join(folder, "filler");
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(bavail * bsize));

  const event = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
  // Each is larger than what the write-ahead log may have room for still.
  const large = Buffer.alloc(200_000, "x");
  const changes = async () => [
    await host.ask("PUT", "/v1/kv/s/new", { body: large }),
    await host.ask("POST", "/v1/topics/t", { body: large, headers: event }),
    await host.ask("PUT", "/v1/blobs/b/new", { body: large }),
    await host.ask("POST", "/fn/later/x", { body: large, headers: { prefer: "respond-async" } }),
  ];
  for (const answer of await changes()) assertProblem(answer, 507, "storage_full");
  assert.equal((await host.ask("GET", "/v1/kv/s/before")).text, "stored");
  assert.equal((await host.ask("GET", "/v1/kv/s/new")).status, 404);
  assert.equal((await host.ask("GET", "/v1/blobs/b/new")).status, 404);
  assert.equal((await host.ask("GET", "/v1/events")).text.includes('"events":[]'), true);
  assert.equal((await host.ask("GET", "/v1/invocations")).text.includes('"invocations":[]'), true);
  assert.equal((await host.call("hello")).text, "still here");

  rmSync(filler);
  assert.deepEqual(
    (await changes()).map(({ status }) => status),
    [201, 202, 201, 202],
  );
  const { invocations } = (await host.ask("GET", "/v1/invocations")).json() as {
    invocations: { id: string }[];
  };
  const made = `/v1/invocations/${invocations[0]?.id}`;
  await until(async () => (await host.ask("GET", made)).text.includes('"succeeded"'), 20_000);
  await host.close();
});
