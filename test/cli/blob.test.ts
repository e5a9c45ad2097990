// `mayfly blob …` against a host.

import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
const folder = await mkdtemp(join(tmpdir(), "mayfly-cli-"));
after(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

const blob = (...args: string[]) => cli(["blob", ...args, "--url", host.host.url], { cwd: folder });

test("a file is put, listed, got and deleted", async () => {
  const bytes = randomBytes(3_000_000);
  await writeFile(join(folder, "a.bin"), bytes);
  const put = await blob("put", "files", "in/a b", "a.bin", "--type", "image/png", "--meta", "by=Ada");
  assert.deepEqual([put.exitCode, put.stdout], [0, "Stored in/a b, 3000000 bytes\n"]);
  assert.equal((await host.ask("HEAD", "/v1/blobs/files/in/a%20b")).header("x-mayfly-meta-by"), "Ada");
  assert.match((await blob("list", "files", "in/")).stdout, /in\/a b +3000000 +image\/png/);
  assert.match((await blob("list")).stdout, /files +1 +3000000/);
  assert.equal((await blob("get", "files", "in/a b", "-o", "b.bin")).exitCode, 0);
  assert.ok(bytes.equals(await readFile(join(folder, "b.bin"))));
  const again = await blob("put", "files", "in/a b", "a.bin", "--new");
  assert.equal(again.exitCode, 1);
  assert.match(again.stderr, /precondition_failed/);
  const link = await blob("sign", "files", "in/a b", "--json");
  const answer = await fetch((JSON.parse(link.stdout) as { url: string }).url);
  assert.equal((await answer.arrayBuffer()).byteLength, 3_000_000);
  assert.equal((await blob("delete", "files", "in/a b")).exitCode, 0);
  assert.match((await blob("get", "files", "in/a b")).stderr, /blob_not_found/);
});

test("what cannot be is told", async () => {
  const cases: [string[], number, RegExp][] = [
    [["put", "files", "k", "absent.bin"], 1, /Cannot read absent\.bin/],
    [["put", "files", "k", "."], 1, /no file/],
    [["put", "files", "k", "a.bin", "--meta", "x"], 2, /want NAME=VALUE/],
    [["put", "No", "k", "a.bin"], 1, /invalid_name/],
    [["get", "files", "absent"], 1, /blob_not_found/],
    [["sign", "files", "k", "--expires", "soon"], 2, /want seconds/],
    [["sign", "files", "k", "--method", "DELETE"], 1, /bad_request/],
  ];
  for (const [args, exitCode, message] of cases) {
    const result = await blob(...args);
    assert.equal(result.exitCode, exitCode, `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
});
