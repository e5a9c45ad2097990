// The throw-away process: what it says of a module, and that its death or silence is a verdict too.

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Inspectors } from "../../host/deploy/inspect.ts";
import type { InspectRequest } from "../../host/deploy/inspector.ts";
import { HostError } from "../../host/errors.ts";
import { until } from "../flow/supervised-host.ts";
import { assemble } from "../support/guests.ts";
import * as raw from "../wasm/module-bytes.ts";

const inspectors = new Inspectors();
after(() => inspectors.close());

const asIs = (bytes: Uint8Array<ArrayBuffer>): InspectRequest => ({
  modules: [{ upload: bytes, bytes }],
  abi: "assemblyscript",
  linking: "assemblyscript",
  metered: true,
  memory: null,
  files: null,
  env: [],
  resettable: false,
});
const request = (text: string): InspectRequest => asIs(new Uint8Array(assemble(text)));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.code;
  }
}

test("a module that instantiates passes, several at once too", async () => {
  const rows = await Promise.all(
    Array.from({ length: 3 }, () => codeOf(inspectors.inspect(request("(module)")))),
  );
  assert.deepEqual(rows, ["done", "done", "done"]);
});

test("what a process said counts when its end is seen first", async () => {
  inspectors.prepare();
  await setTimeout(500);
  const slow = `(module (func $s (local i32) (loop
    (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 40000000))))) (start $s))`;
  // The first ends while nobody looks. Between its message and its end, which are then there at once,
  // nobody looks again, and the second says all it has to say and ends.
  const first = codeOf(inspectors.inspect(request("(module)"))).then((code) => {
    stand(2_000);
    return code;
  });
  const second = codeOf(inspectors.inspect(request(slow)));
  await setImmediate();
  stand(250);
  assert.deepEqual([await first, await second], ["done", "done"]);
});

/** Keeps this thread's event loop from turning. */
function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("what does not compile is invalid_module, what traps or loops is start_failed", async () => {
  const bytes = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99]);
  assert.equal(await codeOf(inspectors.inspect(asIs(bytes))), "invalid_module");
  assert.equal(
    await codeOf(inspectors.inspect(request("(module (func $s unreachable) (start $s))"))),
    "start_failed",
  );
  assert.equal(
    await codeOf(inspectors.inspect(request("(module (func $s (loop (br 0))) (start $s))"))),
    "start_failed",
  );
});

test("a memory of any declared size passes, and is not looked through", async () => {
  const declared = (pages: number): InspectRequest => ({
    ...request(`(module (import "mayfly:host" "memory" (memory ${pages})))`),
    memory: { initialPages: pages, maximumPages: pages },
    resettable: true,
  });
  for (const pages of [16_384, 65_536]) {
    assert.equal((await inspectors.inspect(declared(pages))).resetUs, null, `${pages} pages`);
  }
  assert.notEqual((await inspectors.inspect(declared(16))).resetUs, null);
});

test("H1, H4: a module that cannot be stopped or kills its process costs that process alone", async () => {
  const unstoppable = "(module (func $s (return_call $s)) (start $s))";
  assert.equal(await codeOf(inspectors.inspect(request(unstoppable))), "start_failed");
  const code = await codeOf(inspectors.inspect(asIs(listBomb())));
  // It died (unsupported_feature) or, on a busy machine, was still collecting when its second was
  // over (start_failed): which comes first is a matter of speed, and either ends that process alone.
  assert.ok(code === "unsupported_feature" || code === "start_failed", code);
  assert.equal(await codeOf(inspectors.inspect(request("(module)"))), "done");
});

/** A start function that makes a list of arrays of 800 MB: V8 aborts at the first, far over its heap's limit. */
function listBomb(): Uint8Array<ArrayBuffer> {
  const array = [0x5e, 0x7e, 0x01];
  const node = [0x5f, 0x02, 0x63, 0x00, 0x00, 0x63, 0x01, 0x00];
  const push = [0x42, 1, 0x41, raw.leb(100_000_000), 0xfb, 0x06, 0, 0x20, 0, 0xfb, 0x00, 1, 0x21, 0];
  const body = raw.sized([1, 1, 0x63, 0x01, 0x03, 0x40, ...push, 0x0c, 0, raw.end, raw.end]);
  return new Uint8Array(
    raw.module(
      raw.types(array, node, raw.functionType()),
      raw.section(3, [1, 2]),
      raw.section(8, [0]),
      raw.section(10, raw.vector([body])),
    ),
  );
}

test("an upload that is not valid is refused, whatever its rewritten form is", async () => {
  const upload = new Uint8Array(assemble("(module)"));
  upload[4] = 2;
  const modules = [{ upload, bytes: new Uint8Array(assemble("(module)")) }];
  assert.equal(await codeOf(inspectors.inspect({ ...request("(module)"), modules })), "invalid_module");
});

test("an inspector that the system kills is no verdict: another one is asked", async () => {
  const own = new Inspectors();
  const looping = own.inspect(request("(module (func $loop (loop (br 0))) (start $loop))"));
  await until(() => inspectorPids().length > 0, 10_000);
  const before = new Set(inspectorPids());
  for (const pid of before) process.kill(pid, "SIGKILL");
  assert.equal(await codeOf(looping), "start_failed");
  own.close();
});

/** The inspectors of this process. */
function inspectorPids(): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  return rows
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [])
    .filter(([, , parent, args = ""]) => Number(parent) === process.pid && args.includes("inspector.ts"))
    .map(([, pid]) => Number(pid));
}
