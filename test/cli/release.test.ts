// Holds `deploy --no-live`, `release`, `promote`, `rollback` and `alias` to docs/cli.md, on a host.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
const cwd = await mkdtemp(join(tmpdir(), "mayfly-cli-"));
after(async () => {
  await host.close();
  await rm(cwd, { recursive: true });
});

/** What it prints; it must not fail. */
async function done(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cli([...words, "--url", host.host.url], { cwd });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

async function fails(...words: string[]): Promise<string> {
  const { exitCode, stderr } = await cli([...words, "--url", host.host.url], { cwd });
  assert.equal(exitCode, 1);
  return stderr;
}

test("from a version that is kept back over a canary to all calls, and back", async () => {
  await writeFile(join(cwd, "one.wasm"), answering("v1"));
  await writeFile(join(cwd, "two.wasm"), answering("v2"));
  assert.match(await fails("deploy", "shop", "one.wasm", "--no-live"), /^no_live_version: /);
  await done("deploy", "shop", "one.wasm");
  assert.match(
    await done("deploy", "shop", "two.wasm", "--no-live"),
    /^Deployed shop v2 sha256:\w+ .*, not live\n/,
  );
  assert.equal(await done("invoke", "shop"), "v1");
  const canary = ["--canary", "12.5%", "--sticky", "cookie:session", "--max-errors", "5%", "--window", "30s"];
  assert.equal(await done("release", "shop", "2", ...canary), "shop runs v1 (87.5 %) and v2 (12.5 %)\n");
  assert.deepEqual((await done("alias", "list", "shop")).split("\n"), [
    "ALIAS  RUNS",
    "live   v1 (87.5 %) and v2 (12.5 %)  by the cookie session",
    "",
  ]);
  const [shown] = JSON.parse(await done("alias", "list", "shop", "--json"));
  assert.deepEqual(shown.guard, { errorPercentMax: 5, p99MsMax: null, callsMin: 100, windowMs: 30_000 });
  assert.equal(await done("promote", "shop"), "shop v2 is live\n");
  assert.match(await fails("promote", "shop"), /^no_canary: /);
  assert.equal(await done("rollback", "shop"), "shop v1 is live\n");
  assert.equal(await done("rollback", "shop", "v2"), "shop v2 is live\n");
});

test("an alias of one's own is released, called, rolled back and removed", async () => {
  await host.deploy("named", answering("v1"));
  await host.deploy("named", answering("v2"));
  assert.equal(await done("release", "named", "1", "--alias", "staging"), "named@staging runs v1\n");
  assert.equal(await done("invoke", "named@staging"), "v1");
  await done("release", "named", "2", "--alias", "staging");
  assert.equal(await done("rollback", "named", "--alias", "staging"), "named v1 is what staging leads to\n");
  assert.equal(await done("alias", "remove", "named", "staging"), "Removed staging of named\n");
  assert.match(
    await fails("release", "named", "2", "--alias", "staging", "--canary", "5%"),
    /^alias_not_found: /,
  );
  assert.match(await fails("release", "named", "9"), /^function_not_found: /);
  assert.match(await fails("alias", "remove", "named", "live"), /^invalid_alias: /);
});
