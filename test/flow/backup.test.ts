// Backups of a host that runs, and the way back: whole whatever happens meanwhile, or refused.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { restoreBackup } from "../../host/backup/restore-backup.ts";
import { ask } from "../support/http-client.ts";
import { assertProblem } from "../support/test-host.ts";
import { answering } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const command = join(import.meta.dirname, "../../bin/mayfly.js");
const work = mkdtempSync(join(tmpdir(), "mayfly-backup-"));
after(() => rmSync(work, { recursive: true, maxRetries: 10 }));

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function mayfly(...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [command, ...words], { cwd: work }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const portOf = (host: SupervisedHost): number => Number(new URL(host.url).port);

async function putBlob(host: SupervisedHost, key: string, body: Uint8Array): Promise<void> {
  const { status, text } = await ask(portOf(host), "PUT", `/v1/blobs/files/${key}`, { body });
  assert.ok(status === 201 || status === 200, text);
}

/** Bytes that say which they are. */
const bytesOf = (number: number): Buffer => Buffer.alloc(40_000 + number, `${number};`);

/** A host with a function, keys and blobs; a backup of it. */
async function backedUp(name: string): Promise<string> {
  await using host = await SupervisedHost.start();
  assert.equal((await host.deploy("hello", answering("hello"))).status, 201);
  await putBlob(host, "kept", bytesOf(1));
  const folder = join(work, name);
  const { code, stderr } = await mayfly("backup", folder, "--url", host.url);
  assert.equal(code, 0, stderr);
  return folder;
}

test("a backup made under writes is one moment of the host, whole, and starts as a host", async () => {
  const folder = join(work, "under-writes");
  const data = join(work, "restored");
  {
    await using host = await SupervisedHost.start();
    const port = portOf(host);
    for (const [name, text] of [
      ["stays", "I stay"],
      ["goes", "I go"],
    ] as const) {
      assert.equal((await host.deploy(name, answering(text))).status, 201);
    }
    // So much that the sending takes a while.
    for (let number = 0; number < 40; number += 1) {
      await putBlob(host, `large-${number}`, Buffer.alloc(1_000_000, `${number},`));
    }
    let writing = true;
    let written = 0;
    const writes = (async () => {
      for (let number = 1; writing; number += 1) {
        const pair = `pair-${number % 5}`;
        await putBlob(host, pair, bytesOf(number));
        const value = JSON.stringify(number);
        const { status } = await ask(port, "PUT", `/v1/kv/numbers/${pair}`, { body: value });
        assert.ok(status < 300);
        if (number % 7 === 0) await ask(port, "DELETE", `/v1/blobs/files/large-${number % 40}`);
        if (number === 3) assert.equal((await ask(port, "DELETE", "/v1/functions/goes")).status, 204);
        written = number;
      }
    })();
    await until(() => written > 0, 10_000);
    const { code, stdout, stderr } = await mayfly("backup", folder, "--url", host.url);
    const before = written;
    await until(() => written > before, 10_000);
    writing = false;
    await writes;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Backed up \d+ files/);
    assert.equal(existsSync(join(host.dataDir, "backup")), false);
    // What nobody has any more is gone now, held or not.
    const blobs = await ask(port, "GET", "/v1/blobs/files?limit=1000");
    const listed = (blobs.json() as { blobs: { digest: string }[] }).blobs.map(({ digest }) =>
      digest.slice(7),
    );
    assert.deepEqual(readdirSync(join(host.dataDir, "blobs")).sort(), [...new Set(listed)].sort());
    const digestOfStays = createHash("sha256").update(answering("I stay")).digest("hex");
    assert.deepEqual(readdirSync(join(host.dataDir, "modules")), [`sha256-${digestOfStays}.wasm`]);
  }
  const restored = await mayfly("restore", folder, "--data", data);
  assert.equal(restored.code, 0, restored.stderr);
  await using host = await SupervisedHost.start({ dataDir: data });
  const port = portOf(host);
  assert.equal((await ask(port, "GET", "/fn/stays")).text, "I stay");
  // Removed before the moment, or after it.
  assert.match((await ask(port, "GET", "/fn/goes")).text, /^I go$|function_not_found/);
  const { text, status } = await ask(port, "GET", "/v1/blobs/files?limit=1000");
  assert.equal(status, 200, text);
  const { blobs } = JSON.parse(text) as { blobs: { key: string; digest: string }[] };
  for (const { key, digest } of blobs) {
    const { bytes } = await ask(port, "GET", `/v1/blobs/files/${key}`);
    assert.equal(`sha256:${createHash("sha256").update(bytes).digest("hex")}`, digest);
    if (!key.startsWith("pair-")) continue;
    // The blob was written before the number was.
    const number = Number((await ask(port, "GET", `/v1/kv/numbers/${key}`)).text);
    assert.ok(
      [bytesOf(number), bytesOf(number + 5)].some((expected) => bytes.equals(expected)),
      `${key}`,
    );
  }
});

test("a second backup at the same time is refused, and one whose client goes away leaves nothing", async () => {
  await using host = await SupervisedHost.start();
  const port = portOf(host);
  for (let number = 0; number < 40; number += 1) {
    await putBlob(host, `large-${number}`, Buffer.alloc(1_000_000, `${number},`));
  }
  const first = request({ host: "127.0.0.1", port, method: "POST", path: "/v1/backup", agent: false });
  first.on("error", () => {});
  // It reads nothing of the answer: more than sockets take is left.
  const answered = new Promise((resolve) => first.once("response", resolve));
  first.end();
  await answered;
  assertProblem(await ask(port, "POST", "/v1/backup"), 409, "backup_running");
  assert.equal((await ask(port, "DELETE", "/v1/blobs/files/large-1")).status, 204);
  assert.equal(readdirSync(join(host.dataDir, "blobs")).length, 40);
  first.destroy();
  await until(() => readdirSync(join(host.dataDir, "blobs")).length === 39, 10_000);
  await until(() => !existsSync(join(host.dataDir, "backup")), 10_000);
  const again = await mayfly("backup", "again", "--url", host.url);
  assert.equal(again.code, 0, again.stderr);
});

test("a host killed inside a backup leaves a folder that restore refuses, and starts clean", async () => {
  await using host = await SupervisedHost.start();
  for (let number = 0; number < 60; number += 1) {
    await putBlob(host, `large-${number}`, Buffer.alloc(1_000_000, `${number},`));
  }
  const folder = join(work, "killed");
  const ended = mayfly("backup", folder, "--url", host.url);
  await until(
    () => existsSync(join(folder, "blobs")) && readdirSync(join(folder, "blobs")).length > 2,
    30_000,
  );
  await host.killHost();
  const { code, stderr } = await ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /cut off/);
  assert.deepEqual(readdirSync(folder), []);
  await until(async () => (await fetch(`${host.url}/readyz`).catch(() => null))?.ok === true, 20_000);
  assert.equal(existsSync(join(host.dataDir, "backup")), false);
  const refused = await mayfly("restore", folder, "--data", join(work, "of-killed"));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /it has no manifest\.json: it is no backup, or one that was cut off/);
});

test("restore refuses what was cut off or altered, and puts nothing in place then", async () => {
  const whole = await backedUp("whole");
  // No keys among them.
  assert.deepEqual(readdirSync(whole).sort(), ["blobs", "manifest.json", "mayfly.db", "modules"]);
  const files = readdirSync(whole, { recursive: true, encoding: "utf8" }).map(String);
  const blob = files.find((file) => /^blobs.[0-9a-f]{64}$/.test(file)) ?? "";
  const module = files.find((file) => file.endsWith(".wasm")) ?? "";
  const edit = (name: string, change: (text: Buffer) => Uint8Array | string) => (folder: string) => {
    writeFileSync(join(folder, name), change(readFileSync(join(folder, name))));
  };
  const cases: [string, (folder: string) => void, RegExp][] = [
    ["no manifest", (folder) => rmSync(join(folder, "manifest.json")), /cut off/],
    [
      "half a manifest",
      edit("manifest.json", (text) => text.subarray(0, text.length / 2)),
      /cut off or damaged/,
    ],
    [
      "half a database",
      edit("mayfly.db", (text) => text.subarray(0, text.length / 2)),
      /mayfly\.db has \d+ bytes/,
    ],
    [
      "a flipped bit",
      edit(blob, (text) => {
        text[7] = (text[7] ?? 0) ^ 1;
        return text;
      }),
      /its digest differs/,
    ],
    ["a module too few", (folder) => rmSync(join(folder, module)), /is missing/],
    [
      "a manifest that names fewer",
      edit("manifest.json", (text) => {
        const manifest = JSON.parse(text.toString()) as { files: { path: string }[] };
        manifest.files = manifest.files.filter(({ path }) => !path.startsWith("blobs/"));
        return JSON.stringify(manifest);
      }),
      /its database names blobs/,
    ],
    [
      "a manifest that leads elsewhere",
      edit("manifest.json", (text) => text.toString().replace("mayfly.db", "../mayfly.db")),
      /no path of a backup/,
    ],
    [
      "a newer schema",
      edit("manifest.json", (text) => text.toString().replace(/"schema": \d+/, '"schema": 9999')),
      /made by a newer Mayfly/,
    ],
  ];
  for (const [what, damage, reason] of cases) {
    const folder = join(work, "altered");
    const data = join(work, "of-altered");
    cpSync(whole, folder, { recursive: true });
    damage(folder);
    await assert.rejects(restoreBackup(folder, data), reason, what);
    const left = existsSync(data) ? readdirSync(data).filter((name) => name !== "lock") : [];
    assert.deepEqual(left, [], what);
    rmSync(folder, { recursive: true });
    rmSync(data, { recursive: true, force: true });
  }
});

test("restore refuses a folder that holds something or that a host has, and goes on after it was cut off", async () => {
  const backup = await backedUp("good");
  const data = join(work, "in-use");
  {
    await using host = await SupervisedHost.start({ dataDir: data });
    await assert.rejects(restoreBackup(backup, data), /a host has the folder/);
    assert.equal((await host.deploy("hello", answering("mine"))).status, 201);
  }
  await assert.rejects(restoreBackup(backup, data), /is not empty/);
  const other = mkdtempSync(join(work, "other-"));
  writeFileSync(join(other, "notes"), "mine");
  await assert.rejects(restoreBackup(backup, other), /is not empty: it holds notes/);
  assert.deepEqual(readdirSync(other), ["notes"]);
  // As a restore leaves it that was killed in the middle.
  const cut = mkdtempSync(join(work, "cut-"));
  cpSync(join(backup, "blobs"), join(cut, "blobs"), { recursive: true });
  cpSync(backup, join(cut, "restoring"), { recursive: true });
  await using refused = await SupervisedHost.start({ dataDir: cut });
  assert.equal(await refused.exit(), 1);
  assert.match(refused.output, /a restore into it was cut off; run the restore again/);
  await restoreBackup(backup, cut);
  await using host = await SupervisedHost.start({ dataDir: cut });
  assert.equal(await (await fetch(`${host.url}/fn/hello`)).text(), "hello");
});
