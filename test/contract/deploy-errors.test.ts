// One upload for each code of the deploy table; after each the function is what it was before.

import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering, assemble, guest } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import { codeModule } from "../wasm/module-bytes.ts";

let diskFull = false;
const host = await TestHost.start({
  sync: async () => {
    if (diskFull) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  },
});
after(() => host.close());

const good = answering("good");
await host.deploy("fn", good);

/** Uploads over "fn", expects a refusal, and that nothing has changed. Returns the problem's members. */
async function refused(bytes: Uint8Array, status: number, code: string): Promise<Record<string, unknown>> {
  const answer = await host.upload("fn", bytes);
  assertProblem(answer, status, code);
  const { versions } = (await host.ask("GET", "/v1/functions/fn/versions")).json() as { versions: unknown[] };
  assert.equal(versions.length, 1);
  assert.equal((await readdir(join(host.dataDir, "modules"))).length, 1);
  assert.equal((await host.call("fn")).text, "good");
  return answer.json() as Record<string, unknown>;
}

test("what is no wasm is invalid_module", async () => {
  const problem = await refused(Buffer.from("<!doctype html>"), 422, "invalid_module");
  assert.match(String(problem["detail"]), /HTML/);
});

test("a module that V8 does not validate is invalid_module", async () => {
  const bytes = guest("i32.const 1 drop");
  const at = Buffer.from(bytes).lastIndexOf(Buffer.from([0x41, 0x01, 0x1a]));
  bytes[at] = 0x43; // f32.const takes four bytes: "drop" and what follows become its number
  const answer = await host.upload("fn", bytes);
  assertProblem(answer, 422, "invalid_module");
});

test("imports that are not offered are unknown_import, each one named, before exports are looked at", async () => {
  const text = `(module (import "env" "system" (func)) (import "wasi" "fd" (global i32)) (memory 1))`;
  const { detail } = await refused(assemble(text), 422, "unknown_import");
  assert.match(String(detail), /"env" "system"/);
  assert.match(String(detail), /"wasi" "fd"/);
});

test("a feature that cannot be contained is unsupported_feature with function and offset", async () => {
  const refI31 = [0x41, 0, 0xfb, 0x1c, 0x1a];
  const problem = await refused(codeModule(...refI31), 422, "unsupported_feature");
  assert.equal(problem["feature"], "gc");
  assert.equal(problem["function"], 0);
  assert.equal(typeof problem["offset"], "number");
});

test("a memory minimum over the limit is memory_exceeded", async () => {
  const entry = `(func (export "mayfly_handle") (param i32))`;
  const bytes = assemble(`(module (memory (export "memory") 2049) ${entry})`);
  const { detail } = await refused(bytes, 422, "memory_exceeded");
  assert.match(String(detail), /2049.*2048/);
});

test("a trial instantiation that traps is start_failed", async () => {
  const bytes = guest("", "(func $s unreachable) (start $s)");
  const { detail } = await refused(bytes, 422, "start_failed");
  assert.match(String(detail), /unreachable/);
});

test("a trial instantiation that does not end is start_failed", async () => {
  await refused(guest("", "(func $s (loop (br 0))) (start $s)"), 422, "start_failed");
});

test("no entry point that the host knows is unknown_abi", async () => {
  const text = `(module (memory (export "memory") 1) (func (export "main")))`;
  const { detail } = await refused(assemble(text), 422, "unknown_abi");
  assert.match(String(detail), /"main"/);
});

test("an upload over the limit is module_too_large, and one at the limit is read", async () => {
  const announced = {
    "content-type": "application/wasm",
    "content-length": String(limits.moduleBytesMax + 1),
  };
  assertProblem(await host.ask("PUT", "/v1/functions/fn", { headers: announced }), 413, "module_too_large");
  await refused(new Uint8Array(limits.moduleBytesMax), 422, "invalid_module");
});

test("a configuration that is not valid is invalid_config", async () => {
  assertProblem(await host.send("PUT", "/v1/functions/fn/config", { cpuMs: 0 }), 400, "invalid_config");
});

test("a full disk is storage_full, and the next upload after it has room succeeds", async () => {
  diskFull = true;
  try {
    await refused(answering("does not fit"), 507, "storage_full");
  } finally {
    diskFull = false;
  }
  await host.deploy("roomy", answering("fits"));
  assert.equal((await host.call("roomy")).text, "fits");
  await host.ask("DELETE", "/v1/functions/roomy");
});

test("a content type that is no module is unsupported_media_type", async () => {
  for (const type of ["text/html", "multipart/mixed; boundary=x", "application/json"]) {
    const answer = await host.ask("PUT", "/v1/functions/fn", {
      body: good,
      headers: { "content-type": type },
    });
    assertProblem(answer, 415, "unsupported_media_type");
  }
});
