// `mayfly kv` against a host.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
after(() => host.close());

const kv = (argv: readonly string[], stdin = "") => cli(["kv", ...argv, "--url", host.host.url], { stdin });

test("a key is set, read, listed, incremented and deleted", async () => {
  assert.equal((await kv(["set", "links", "a/b c", "https://example.com/"])).stdout, "Set, version 1\n");
  assert.equal((await kv(["get", "links", "a/b c"])).stdout, "https://example.com/");
  await kv(["set", "links", "piped"], "from standard input");
  assert.equal((await kv(["get", "links", "piped"])).stdout, "from standard input");
  const { stdout } = await kv(["list", "links", "a/", "--json"]);
  assert.deepEqual(
    (JSON.parse(stdout) as { key: string }[]).map(({ key }) => key),
    ["a/b c"],
  );
  assert.match((await kv(["list"])).stdout, /^STORE +KEYS +BYTES\nlinks +2 +39\n$/);
  assert.equal((await kv(["increment", "links", "count", "41"])).stdout, "41\n");
  assert.equal((await kv(["increment", "links", "count"])).stdout, "42\n");
  assert.equal((await kv(["delete", "links", "count"])).stdout, "Deleted count\n");
  const gone = await kv(["get", "links", "count"]);
  assert.deepEqual([gone.exitCode, gone.stdout], [1, ""]);
  assert.match(gone.stderr, /key_not_found/);
});

test("--new sets what is not there, and --ttl wants seconds", async () => {
  assert.equal((await kv(["set", "locks", "a", "1", "--new", "--ttl", "3600"])).exitCode, 0);
  const taken = await kv(["set", "locks", "a", "2", "--new"]);
  assert.equal(taken.exitCode, 1);
  assert.match(taken.stderr, /precondition_failed/);
  assert.match((await kv(["list", "locks"])).stdout, /a +1 +20\d\d-/);
  assert.equal((await kv(["set", "locks", "b", "1", "--ttl", "soon"])).exitCode, 2);
  assert.equal((await kv(["increment", "locks", "b", "1.5"])).exitCode, 2);
});
