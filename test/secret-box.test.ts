import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseSecretKey, SecretBox } from "../host/secret-box.ts";
import { secretKeySource } from "../host/store/files/key-file.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-secrets-"));
});
after(() => rm(folder, { recursive: true }));

const boxOf = (key: Buffer): SecretBox => new SecretBox({ read: () => key, make: async () => key });

test("what was sealed is opened by the same key for the same purpose alone", async () => {
  const box = boxOf(randomBytes(32));
  const sealed = await box.seal("pässword", "slot-1");
  assert.equal(box.open(sealed, "slot-1"), "pässword");
  assert.ok(!Buffer.from(sealed).includes("pässword"));
  assert.notDeepEqual(await box.seal("pässword", "slot-1"), sealed, "the nonce was used twice");
  assert.throws(() => box.open(sealed, "slot-2"));
  assert.throws(() => boxOf(randomBytes(32)).open(sealed, "slot-1"));
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => box.open(changed, "slot-1"), `byte ${at}`);
    assert.throws(() => box.open(sealed.subarray(0, at), "slot-1"), `cut at ${at}`);
  }
});

test("a key is 32 bytes in hexadecimal digits or base64, and nothing else", () => {
  const key = randomBytes(32);
  for (const form of ["hex", "base64", "base64url"] as const) {
    assert.deepEqual(parseSecretKey(` ${key.toString(form)}\n`), key, form);
  }
  for (const text of [
    "",
    "key",
    "0".repeat(63),
    "0".repeat(65),
    "!".repeat(64),
    key.toString("base64").slice(2),
  ]) {
    assert.equal(parseSecretKey(text), null, text);
  }
});

test("a data folder has a key of its own, made when something is sealed, made durable, and for its owner alone", async () => {
  const file = join(folder, "secrets.key");
  const synced: string[] = [];
  const source = secretKeySource(file, null, async (path) => void synced.push(path));
  assert.equal(source.read(), null);
  const key = await source.make();
  assert.deepEqual(synced, [file, folder]);
  assert.deepEqual(await readFile(file), key);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const again = secretKeySource(file, null, async () => {});
  assert.deepEqual([again.read(), await again.make()], [key, key]);
  await writeFile(file, "short");
  assert.throws(() => secretKeySource(file, null, async () => {}).read(), /want 32/);
});

test("a key that is given is used, and none is made", async () => {
  const key = randomBytes(32);
  const file = join(folder, "absent.key");
  const source = secretKeySource(file, key.toString("hex"), async () => assert.fail("something was made"));
  assert.deepEqual([source.read(), await source.make()], [key, key]);
  await assert.rejects(stat(file));
});
