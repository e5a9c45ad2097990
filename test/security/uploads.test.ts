// docs/threat-model.md A18, B18 and the bad input of uploads: bytes that are cut, changed or sent in odd ways. A
// refusal changes nothing; what is accepted runs within its limits; never an internal error.

import { strict as assert } from "node:assert";
import { createHash, randomInt } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { answering, echo, mirror, puppet } from "../support/guests.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { seeded } from "../support/seeded-random.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
const good = answering("good");
await host.deploy("good", good);
const soak = process.env["MAYFLY_TEST_SOAK"] === "1";

const deployCodes = [
  "invalid_module",
  "unknown_import",
  "unsupported_feature",
  "start_failed",
  "unknown_abi",
  "memory_exceeded",
];

/** Uploads bytes that may be anything; calls them when they are accepted. */
async function tryOut(bytes: Uint8Array, what: string): Promise<boolean> {
  const answer = await host.upload("mutant", bytes);
  if (answer.status === 422) {
    assert.ok(deployCodes.includes((answer.json() as { code: string }).code), `${what}: ${answer.text}`);
    return false;
  }
  assert.ok([200, 201].includes(answer.status), `${what}: ${answer.status} ${answer.text}`);
  const called = await host.call("mutant", { body: "0123456789abcdef" });
  const { code = "" } = called.status >= 500 ? (called.json() as { code?: string }) : {};
  assert.ok(code !== "internal" && code !== "worker_lost", `${what}: ${called.text}`);
  return true;
}

test("A18: a module cut at any byte is refused, but for one cut between sections", async () => {
  const bytes = puppet();
  const seed = randomInt(2 ** 31);
  console.log(`seed ${seed}`);
  const random = seeded(seed);
  const cuts = soak
    ? Array.from({ length: bytes.length }, (_, at) => at)
    : Array.from({ length: 120 }, () => random() % bytes.length);
  for (const cut of cuts) await tryOut(bytes.subarray(0, cut), `cut at ${cut}, seed ${seed}`);
  assert.equal((await host.call("good")).text, "good");
});

test("A18: a module with changed bytes is refused or runs within its limits", async () => {
  const seed = randomInt(2 ** 31);
  console.log(`seed ${seed}`);
  const random = seeded(seed);
  await host.configure("mutant", { cpuMs: 40, memoryMb: 16 });
  const originals = [good, puppet(), echo(), mirror()];
  let accepted = 0;
  for (let count = 0; count < (soak ? 3_000 : 60); count += 1) {
    const bytes = Uint8Array.from(originals[count % originals.length] ?? good);
    const changes = 1 + (random() % 3);
    for (let change = 0; change < changes; change += 1)
      bytes[8 + (random() % (bytes.length - 8))] = random() % 256;
    if (await tryOut(bytes, `mutant ${count}, seed ${seed}`)) accepted += 1;
  }
  console.log(`${accepted} accepted`);
  assert.equal((await host.call("good")).text, "good");
});

test("B18: an upload that stops at 99 % leaves nothing behind", async () => {
  const bytes = answering("never whole");
  const connection = await RawConnection.open(host.port);
  connection.write(
    `PUT /v1/functions/partial HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`,
  );
  connection.write(bytes.subarray(0, bytes.length - 1));
  await new Promise((resolve) => setTimeout(resolve, 50));
  connection.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await host.ask("GET", "/v1/functions/partial")).status, 404);
  const digest = createHash("sha256").update(bytes).digest("hex");
  for (const file of await readdir(join(host.dataDir, "modules"))) {
    assert.ok(!file.includes(digest) && !file.endsWith(".tmp"), file);
  }
});

test("B18: nothing of an upload is visible until it is complete", async () => {
  const bytes = answering("whole at last");
  const connection = await RawConnection.open(host.port);
  try {
    connection.write(
      `PUT /v1/functions/good HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const half = bytes.length >> 1;
    const chunk = (part: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
    connection.write(chunk(bytes.subarray(0, half)));
    for (let count = 0; count < 5; count += 1) assert.equal((await host.call("good")).text, "good");
    connection.write(chunk(bytes.subarray(half))).write("0\r\n\r\n");
    const answer = await connection.answer();
    assert.ok(answer?.status === 200 || answer?.status === 201 || answer !== null);
    assert.equal((await host.call("good")).text, "whole at last");
  } finally {
    connection.close();
  }
  await host.send("POST", "/v1/functions/good/rollback", { version: 1 });
});

test("B18: four uploads that never end do not keep calls or reads from being answered", async () => {
  const slow = await Promise.all(Array.from({ length: 4 }, () => RawConnection.open(host.port)));
  try {
    for (const connection of slow) {
      connection.write(
        "PUT /v1/functions/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc",
      );
    }
    for (let count = 0; count < 10; count += 1) assert.equal((await host.call("good")).text, "good");
    assert.equal((await host.ask("GET", "/v1/functions")).status, 200);
  } finally {
    for (const connection of slow) connection.close();
  }
  assert.equal((await host.upload("after-slow", good)).status, 201);
});

test("B18: a path or a file name in the request leads nowhere", async () => {
  const headers = {
    "content-type": "application/wasm",
    "content-disposition": 'attachment; filename="../../../tmp/evil"',
    "x-original-url": "/v1/functions/evil",
  };
  const answer = await host.ask("PUT", "/v1/functions/plain?path=/etc/passwd", { body: good, headers });
  assert.equal(answer.status, 201);
  const files = await readdir(join(host.dataDir, "modules"));
  for (const file of files) assert.match(file, /^sha256-[0-9a-f]{64}\.wasm$/);
});
