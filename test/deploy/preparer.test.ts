// A large component is read and rewritten on a thread of its own: the result is that of the main thread, and so is a
// refusal; and what is derived is kept, and derived again where it was lost.

import { strict as assert } from "node:assert";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { prepareComponentUpload } from "../../host/deploy/prepare-upload.ts";
import { Preparer } from "../../host/deploy/preparer.ts";
import { HostError } from "../../host/errors.ts";
import { functionConfigDefault as config } from "../../host/function.ts";
import { PreparedFiles } from "../../host/store/files/prepared-files.ts";
import { component, handler } from "../support/components.ts";

const folder = await mkdtemp(join(tmpdir(), "mayfly-prepared-"));
after(() => rm(folder, { recursive: true }));
const preparer = new Preparer(new PreparedFiles(folder));

/** Made long by a segment of data. */
const long = (body: string, fields = ""): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    component(
      handler(body, `(data (i32.const 4096) "${"x".repeat(250_000)}") ${fields}`).replace(
        '"memory") 4',
        '"memory") 5',
      ),
    ),
  );
const bytes = long("");
const digest = "sha256:00";

test("what is prepared is the same wherever it was, of several at once too", async () => {
  const wanted = prepareComponentUpload(bytes, config);
  const made = await Promise.all([1, 2].map(() => preparer.prepare(bytes, config)));
  for (const each of made) assert.deepEqual(each, wanted);
  assert.equal(wanted.modules.length, 3);
  assert.ok(bytes.byteLength > 0, "the upload is still there");
});

test("what cannot be accepted is refused in the same words", async () => {
  const refused = long("", `(table 200000 funcref)`);
  let wanted: unknown = null;
  try {
    prepareComponentUpload(refused, config);
  } catch (error) {
    wanted = error;
  }
  assert.ok(wanted instanceof HostError, String(wanted));
  const { code, message, extra } = wanted;
  assert.equal(code, "unsupported_feature");
  await assert.rejects(preparer.prepare(refused, config), { code, message, extra });
});

test("a derived form is kept, read as it was written, and derived again when it is damaged or lost", async () => {
  const prepared = await preparer.prepare(bytes, config);
  await preparer.keep(digest, bytes, prepared);
  const [name = ""] = await readdir(folder);
  const file = join(folder, name);
  // The upload that goes with it is not looked at.
  assert.deepEqual(await preparer.formOf(new Uint8Array(600_000), digest), prepared.form);
  const kept = await readFile(file);
  kept[kept.length - 1] = (kept.at(-1) ?? 0) ^ 1;
  await writeFile(file, kept);
  assert.deepEqual(await preparer.formOf(bytes, digest), prepared.form);
  await preparer.retain(new Set());
  assert.deepEqual(await readdir(folder), []);
  assert.deepEqual(await preparer.formOf(bytes, digest), prepared.form);
  await preparer.remove(digest);
  assert.deepEqual(await readdir(folder), []);
});
