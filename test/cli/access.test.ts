// `mayfly token`, `namespace` and `audit` against a host, and `--namespace`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answering, mirror } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("shop", answering("of default"));
});
after(() => host.close());

const run = (argv: readonly string[], env: Record<string, string> = {}) =>
  cli([...argv, "--url", host.host.url], { env });

test("a token is made, listed without itself, used and revoked", async () => {
  const made = await run([
    "token",
    "create",
    "ci",
    "--scope",
    "read",
    "--names",
    "shop,x-*",
    "--expires",
    "90d",
  ]);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.match(made.stdout, /^mf_[A-Za-z0-9_-]{43}\n$/);
  const id = /token ([0-9a-f]{16})/.exec(made.stderr)?.[1] ?? "";
  const listed = await run(["token", "list"]);
  assert.match(listed.stdout, new RegExp(`${id} +ci +read +shop,x-\\* +default +20\\d\\d-\\S+ +never`));
  assert.ok(!listed.stdout.includes(made.stdout.trim()));
  const MAYFLY_TOKEN = made.stdout.trim();
  assert.match((await run(["list"], { MAYFLY_TOKEN })).stdout, /shop/);
  assert.match((await run(["remove", "shop"], { MAYFLY_TOKEN })).stderr, /forbidden: .*scope deploy/);
  assert.equal((await run(["token", "revoke", id])).stdout, `Revoked ${id}\n`);
  assert.match((await run(["token", "revoke", id])).stderr, /token_not_found/);
});

test("commands are of the namespace that they are told", async () => {
  assert.equal(
    (await run(["namespace", "set", "team", "functions=2", "kvBytes=1000"])).stdout,
    "Made team\n",
  );
  const listed = await run(["namespace", "list"]);
  assert.match(listed.stdout, /team +0\/2 +0\/- +-\/- +-\/- +0\/1000 +0\/-/);
  const namespace = ["--namespace", "team"];
  assert.match((await run(["list", ...namespace])).stdout, /^No functions/);
  await host.ask("PUT", "/v1/namespaces/team/functions/shop", { body: answering("of team") });
  assert.match((await run(["list"], { MAYFLY_NAMESPACE: "team" })).stdout, /\/ns\/team\/fn\/shop/);
  assert.equal((await run(["invoke", "shop", ...namespace])).stdout, "of team");
  assert.equal((await run(["invoke", "shop"])).stdout, "of default");
  assert.match((await run(["list", "--namespace", "absent"])).stderr, /namespace_not_found/);
  assert.equal((await run(["list", "--namespace", "No.Name"])).exitCode, 2);
  assert.match((await run(["namespace", "remove", "team"])).stderr, /namespace_in_use/);
  await run(["remove", "shop", ...namespace]);
  assert.equal((await run(["namespace", "remove", "team"])).stdout, "Removed team\n");
});

test("a function that asks for a token is invoked with that of the environment", async () => {
  await host.deploy("closed", mirror());
  assert.equal((await run(["config", "closed", "access=token"])).exitCode, 0);
  assert.match((await run(["invoke", "closed"])).stderr, /HTTP 401|unauthorized/);
  const made = await run(["token", "create", "app", "--scope", "invoke"]);
  const called = await run(["invoke", "closed"], { MAYFLY_INVOKE_TOKEN: made.stdout.trim() });
  assert.equal(called.exitCode, 0, called.stderr);
  assert.ok(!called.stdout.includes(made.stdout.trim()));
});

test("the audit log is shown newest first", async () => {
  await host.configure("shop", { timeoutMs: 77 });
  const { stdout } = await run(["audit", "--limit", "2"]);
  const [head = "", first = ""] = stdout.split("\n");
  assert.match(head, /^AT +WHO +NAMESPACE +CHANGE +STATUS +BEFORE -> AFTER$/);
  assert.match(first, /local +default +PUT \/v1\/functions\/shop\/config +200 .*\{"timeoutMs":77\}/);
});

test("what makes no token, quota or number is wrong usage", async () => {
  for (const argv of [
    ["token", "create", "x"],
    ["token", "create", "x", "--scope", "read", "--expires", "soon"],
    ["token", "create", "x", "--scope", "read", "--rate", "fast"],
    ["namespace", "set", "team", "size=1"],
    ["namespace", "set", "team", "functions=many"],
    ["audit", "--limit", "0"],
  ]) {
    assert.equal((await run(argv)).exitCode, 2, argv.join(" "));
  }
});
