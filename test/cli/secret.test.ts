// `mayfly secret` against a host.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("shop", answering("ok"));
});
after(() => host.close());

const secret = (argv: readonly string[], stdin = "") =>
  cli(["secret", ...argv, "--url", host.host.url], { stdin });

test("a secret is set from standard input, listed without its value, and removed", async () => {
  assert.equal((await secret(["set", "shop", "KEY"], "hunter2\n")).stdout, "Set KEY of shop\n");
  assert.equal((await secret(["set", "shop", "KEY"], "hunter3\r\n")).stdout, "Replaced KEY of shop\n");
  const listed = await secret(["list", "shop"]);
  assert.match(listed.stdout, /^SECRET +CREATED +UPDATED\nKEY +20\d\d-/);
  assert.doesNotMatch(listed.stdout, /hunter/);
  assert.equal((await secret(["remove", "shop", "KEY"])).stdout, "Removed KEY of shop\n");
  assert.match((await secret(["remove", "shop", "KEY"])).stderr, /secret_not_found/);
});

test("a value is no argument, and nothing is no value", async () => {
  const given = await secret(["set", "shop", "KEY", "hunter2"]);
  assert.equal(given.exitCode, 2);
  assert.doesNotMatch(given.stderr, /hunter2/);
  assert.equal((await secret(["set", "shop", "KEY"], "\n")).exitCode, 2);
  assert.equal((await secret(["set", "shop", "NO-NAME"], "x")).exitCode, 1);
});
