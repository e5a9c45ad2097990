// The files that a version may carry beside its module: what the control plane takes, what it answers, what it
// keeps, and that what is refused leaves nothing behind.

import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import type { Answer } from "../support/http-client.ts";
import { headerBlock, program } from "../support/programs.ts";
import { assertProblem, problemCode, TestHost } from "../support/test-host.ts";
import { upload, uploadArchive } from "../support/uploads.ts";

const host = await TestHost.start();
after(() => host.close());

/** Prints the file "index", of up to 100 bytes. */
const printer = program(
  `(call $print)
   (if (call $path_open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 5) (i32.const 0)
     (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then (return)))
   (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 100))
   (drop (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
   (call $say (i32.const 1) (i32.const 4096) (i32.load (i32.const 8)))`,
  { uses: ["path_open", "fd_read"], fields: `(data (i32.const 2048) "index")`, text: headerBlock },
);

type Shown = { version: number; digest: string; files: { digest: string; bytes: number } | null };
const shown = (answer: Answer): Shown => answer.json() as Shown;
const said = async (): Promise<string> => (await host.ask("GET", "/fn/site")).text;
const kept = (): Promise<string[]> => readdir(join(host.dataDir, "modules"));

test("the same module with other files is another version, with the same files it is the one there is", async () => {
  const plain = await host.upload("site", printer);
  assert.deepEqual([plain.status, shown(plain).version, shown(plain).files], [201, 1, null]);
  assert.equal(await said(), "");
  const one = await upload(host, "site", printer, [["index", "one"]]);
  assert.deepEqual([one.status, shown(one).version], [201, 2]);
  assert.equal(shown(one).digest, shown(plain).digest);
  assert.match(shown(one).files?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
  assert.equal(await said(), "one");
  const two = await upload(host, "site", printer, [["index", "two"]]);
  assert.deepEqual([two.status, shown(two).version], [201, 3]);
  assert.equal(await said(), "two");
  const again = await upload(host, "site", printer, [["index", "one"]]);
  assert.deepEqual([again.status, shown(again).version], [200, 2]);
  assert.equal(await said(), "one");
  assert.equal((await host.send("POST", "/v1/functions/site/rollback", { version: 3 })).status, 200);
  assert.equal(await said(), "two");
  assert.equal((await host.ask("GET", "/fn/site@1")).text, "");
  const pinned = await host.upload("site", printer);
  assert.deepEqual([pinned.status, shown(pinned).version], [200, 1]);
});

test("the files of a version are answered as they are stored, and an upload takes them as they are", async () => {
  const path = "/v1/functions/site/files";
  const two = await host.ask("GET", `${path}?version=3`);
  assert.deepEqual([two.status, two.header("content-type")], [200, "application/octet-stream"]);
  const again = await uploadArchive(host, "again", printer, two.bytes);
  assert.deepEqual([again.status, shown(again).files?.bytes], [201, two.bytes.byteLength]);
  assert.equal((await host.ask("GET", "/fn/again")).text, "two");
  assert.equal((await host.ask("GET", `${path}?version=1`)).status, 204);
  assert.equal((await host.ask("GET", path)).status, 204, "version 1 is live");
  assertProblem(await host.ask("GET", `${path}?version=9`), 404, "function_not_found");
  assertProblem(await host.ask("GET", `${path}?version=x`), 400, "bad_request");
  assertProblem(await host.ask("GET", "/v1/functions/nobody/files"), 404, "function_not_found");
  assert.equal((await host.ask("DELETE", "/v1/functions/again")).status, 204);
});

test("files go with the last version that names them", async () => {
  assert.equal((await upload(host, "other", printer, [["index", "one"]])).status, 201);
  const before = (await kept()).length;
  assert.equal((await host.ask("DELETE", "/v1/functions/site")).status, 204);
  // The module and one of the trees are the other function's too.
  assert.equal((await kept()).length, before - 1);
  assert.equal((await host.ask("GET", "/fn/other")).text, "one");
  assert.equal((await host.ask("DELETE", "/v1/functions/other")).status, 204);
  assert.deepEqual(await kept(), []);
});

test("a guest of the other ABI carries files too", async () => {
  const { guest } = await import("../support/guests.ts");
  assert.equal((await upload(host, "plain", guest(""), [["index", "x"]])).status, 201);
  assertProblem(await host.ask("GET", "/fn/plain"), 502, "bad_guest_output");
});

test("what is refused of files leaves nothing behind", async () => {
  const before = await kept();
  const up = await uploadArchive(host, "refused", printer, Buffer.from("no archive"));
  assertProblem(up, 422, "invalid_files");
  const hostile = await upload(host, "refused", printer, [["../up", "x"]]);
  assertProblem(hostile, 422, "invalid_files");
  assert.equal((hostile.json() as { entry: string }).entry, "../up");
  const many = Array.from({ length: limits.filesMax + 1 }, (_, index) => [`f${index}`, ""] as const);
  assertProblem(await upload(host, "refused", printer, many), 413, "files_too_large");
  assertProblem(await host.ask("GET", "/v1/functions/refused"), 404, "function_not_found");
  assert.deepEqual(await kept(), before);
});

const form = (body: string, type = "multipart/form-data; boundary=b"): Promise<Answer> =>
  host.ask("PUT", "/v1/functions/form", { body, headers: { "content-type": type } });
const part = (field: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${field}"; filename="f"\r\n\r\n${content}\r\n`;

const forms: readonly (readonly [string, string, string?])[] = [
  ["without a boundary", part("module", "x"), "multipart/form-data"],
  ["that ends inside", part("module", "x")],
  ["without a module", `${part("files", "x")}--b--\r\n`],
  ["with two modules", `${part("module", "x")}${part("module", "y")}--b--\r\n`],
  ["with another file", `${part("module", "x")}${part("other", "y")}--b--\r\n`],
  ["that is empty", ""],
];

for (const [what, body, type] of forms) {
  test(`a form ${what} is bad_request`, async () => {
    assert.equal(problemCode(await form(body, type)), "bad_request");
  });
}

test("arguments are checked with the rest of the configuration", async () => {
  const put = (args: unknown) => host.send("PUT", "/v1/functions/args/config", { args });
  assert.equal((await put(["one", "two"])).status, 200);
  for (const args of ["text", [1], ["a\0b"], Array(1_000).fill("x"), ["x".repeat(limits.envBytesMax)]]) {
    assertProblem(await put(args), 400, "invalid_config");
  }
});
