// The body of an answer from a file: what it holds when it ends early, and that it lets go of the file.

import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileStream } from "../../host/http/file-stream.ts";

const folder = await mkdtemp(join(tmpdir(), "mayfly-stream-"));
after(() => rm(folder, { recursive: true }));
const file = join(folder, "file");
const bytes = Buffer.alloc(1_000_000, "0123456789");
await writeFile(file, bytes);

async function untilClosed(handle: { readonly fd: number }): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (handle.fd !== -1 && performance.now() < endMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(handle.fd, -1);
}

test("a range is read whole, and the file closed", async () => {
  const handle = await open(file);
  const range = { start: 5, end: 700_003 };
  const stream = fileStream(handle, { range, digest: null, onFault: assert.ifError });
  assert.ok(bytes.subarray(5, 700_003).equals(Buffer.from(await new Response(stream).arrayBuffer())));
  await untilClosed(handle);
});

test("a reader that stands still is cut off, and one that goes away lets go of the file", async () => {
  const still = await open(file);
  const range = { start: 0, end: bytes.byteLength };
  const options = { range, digest: null, onFault: assert.ifError };
  const reader = fileStream(still, { ...options, stallTimeoutMs: 20 }).getReader();
  await reader.read();
  await untilClosed(still);
  await assert.rejects(reader.read(), /stands still/);
  const gone = await open(file);
  const leaving = fileStream(gone, options).getReader();
  await leaving.read();
  await leaving.cancel();
  await untilClosed(gone);
});

test("a file that is shorter than its index says, or has other bytes, is a fault and not sent whole", async () => {
  for (const options of [
    { range: { start: 0, end: bytes.byteLength + 1 }, digest: null },
    { range: { start: 0, end: bytes.byteLength }, digest: "0".repeat(64) },
  ]) {
    const handle = await open(file);
    const faults: unknown[] = [];
    const stream = fileStream(handle, { ...options, onFault: (error) => faults.push(error) });
    await assert.rejects(new Response(stream).arrayBuffer());
    assert.equal(faults.length, 1);
    await untilClosed(handle);
  }
});

test("memory is given back when it has left, and not before", async () => {
  let hasLeft = false;
  const range = { start: 0, end: bytes.byteLength };
  const stream = fileStream(await open(file), {
    range,
    digest: null,
    onFault: assert.ifError,
    hasLeft: () => hasLeft,
  });
  const reader = stream.getReader();
  const first = (await reader.read()).value;
  const second = (await reader.read()).value;
  assert.ok(first !== undefined && first.byteLength > 0);
  hasLeft = true;
  await reader.read();
  assert.ok(second !== undefined && second.byteLength === 0 && first.byteLength > 0);
  await reader.cancel();
});
