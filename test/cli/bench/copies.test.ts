// What `mayfly bench` puts on a host is a copy in all that its calls find: the files that a version carries, and
// components, whose core modules are what is compiled.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { helloComponent } from "../../../bench/peers/component/hello-component.ts";
import { distinctComponentCopy } from "../../../host/wasm/component/component-copies.ts";
import { inspectComponent } from "../../../host/wasm/component/inspect-component.ts";
import { headerBlock, program } from "../../support/programs.ts";
import { TestHost } from "../../support/test-host.ts";
import { upload } from "../../support/uploads.ts";
import { cli } from "../run-cli.ts";

const host = await TestHost.start();
after(() => host.close());
const { url } = host.host;

/** Answers where it finds its file, and traps where not. */
const reader = program(
  `(call $print)
   (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 5) (i32.const 0)
     (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable))`,
  { uses: ["path_open"], fields: `(data (i32.const 2048) "index")`, text: headerBlock },
);
const few = ["--copies", "1", "--later", "1", "--url", url];

test("copies of a deployed function carry the files of its version", async () => {
  assert.equal((await upload(host, "reader", reader, [["index", "one"]])).status, 201);
  const copied = await cli(["bench", "cold", "reader", ...few]);
  assert.equal(copied.exitCode, 0, copied.stderr);
  const pinned = await cli(["bench", "cold", "reader@1", ...few]);
  assert.equal(pinned.exitCode, 0, pinned.stderr);
  const twice = await cli(["bench", "cold", "reader", "--files", ".", ...few]);
  assert.equal(twice.exitCode, 2);
  assert.match(twice.stderr, /measured with the files that it carries, leave --files away/);
});

test("a file of one's own carries those of a folder, by --files, and none without", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "mayfly-bench-files-"));
  try {
    await writeFile(join(cwd, "reader.wasm"), reader);
    await mkdir(join(cwd, "public"));
    await writeFile(join(cwd, "public/index"), "one");
    const carried = await cli(["bench", "cold", "reader.wasm", "--files", "public", ...few], { cwd });
    assert.equal(carried.exitCode, 0, carried.stderr);
    const bare = await cli(["bench", "cold", "reader.wasm", ...few], { cwd });
    assert.equal(bare.exitCode, 1);
    assert.match(bare.stderr, /guest_trapped/);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

test("copies of a component differ in each of their core modules, and do what it does", async () => {
  await host.deploy("hello", helloComponent);
  const measured = await cli(["bench", "cold", "hello", ...few]);
  assert.equal(measured.exitCode, 0, measured.stderr);
  const modulesOf = (bytes: Uint8Array): string[] =>
    inspectComponent(bytes).modules.map((module) => Buffer.from(module.bytes).toString("base64"));
  const [one, other] = [1, 2].map((number) => modulesOf(distinctComponentCopy(helloComponent, number)));
  assert.ok((one?.length ?? 0) > 1);
  assert.equal(
    new Set([...modulesOf(helloComponent), ...(one ?? []), ...(other ?? [])]).size,
    3 * (one?.length ?? 0),
  );
  await host.deploy("copy", distinctComponentCopy(helloComponent, 3));
  assert.equal((await host.ask("GET", "/fn/copy/?name=you")).text, "Hello, you!");
});
