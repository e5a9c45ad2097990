import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeFolder } from "../host/make-folder.ts";

const root = await mkdtemp(join(tmpdir(), "mayfly-folder-"));
after(() => rm(root, { recursive: true }));

test("a folder is made with those above it, and may be there", () => {
  const folder = join(root, "a", "b", "c");
  makeFolder(folder);
  makeFolder(folder);
  assert.ok(existsSync(folder));
});

test("what is no folder, or below none, is refused", async () => {
  await writeFile(join(root, "file"), "");
  assert.throws(() => makeFolder(join(root, "file")), { code: "EEXIST" });
  assert.throws(() => makeFolder(join(root, "file", "a")), { code: "ENOTDIR" });
});

test("a file system that takes no folders is no reason to wait", {
  skip: existsSync("/proc/self") ? false : "there is no /proc here",
}, () => {
  assert.throws(() => makeFolder("/proc/mayfly/data"), { code: "ENOENT" });
});
