// The promise: a host that cannot start says why in one line, and exits with another code than 0.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { SupervisedHost } from "./supervised-host.ts";

test("a data folder that another host has is refused by name, after a wait for its lock", async () => {
  await using first = await SupervisedHost.start();
  await using second = await SupervisedHost.start({ dataDir: first.dataDir });
  assert.equal(await second.exit(), 1);
  assert.match(second.output, /Cannot use the data folder .*another host has it.*--data/);
  assert.equal((await fetch(`${first.url}/healthz`)).status, 200);
});

test("a data folder that cannot be made is refused by name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-flow-"));
  const file = join(folder, "file");
  await writeFile(file, "");
  await using host = await SupervisedHost.start({ dataDir: join(file, "data") });
  assert.equal(await host.exit(), 1);
  assert.match(host.output, /Cannot make the data folder .*--data/);
  await rm(folder, { recursive: true });
});

test("a database that is none is refused by name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-flow-"));
  await writeFile(join(folder, "mayfly.db"), "this is no database, ".repeat(500));
  await using host = await SupervisedHost.start({ dataDir: folder });
  assert.equal(await host.exit(), 1);
  assert.match(host.output, /Cannot use the data folder .*database/);
  await rm(folder, { recursive: true });
});

test("a secret key that does not open what is stored is refused, and none is made in its place", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-flow-"));
  const database = openForWriting(join(folder, "mayfly.db"));
  database.exec("INSERT INTO replications (slot, database, url) VALUES ('s', 'd', zeroblob(60))");
  database.close();
  await using host = await SupervisedHost.start({ dataDir: folder });
  assert.equal(await host.exit(), 1);
  assert.match(host.output, /Cannot use the data folder .*secrets.*secret key is missing.*--secret-key/);
  assert.equal(existsSync(join(folder, "secrets.key")), false);
  await using other = await SupervisedHost.start({
    dataDir: folder,
    env: { MAYFLY_SECRET_KEY: "0".repeat(64) },
  });
  assert.equal(await other.exit(), 1);
  assert.match(other.output, /the secrets in it cannot be opened/);
  assert.doesNotMatch(other.output, /0{64}/);
  await rm(folder, { recursive: true });
});

test("a port that is taken is refused by name", async () => {
  await using first = await SupervisedHost.start();
  const { port } = new URL(first.url);
  await using second = await SupervisedHost.start({ arguments: ["--port", port] });
  assert.equal(await second.exit(), 1);
  assert.match(second.output, /Cannot listen on .*the port is taken.*--port/);
});

test("a configuration with several faults names them all and exits with 2", async () => {
  await using host = await SupervisedHost.start({
    arguments: ["--min-workers", "x", "--max-workers", "-1", "--host", "no such host"],
  });
  assert.equal(await host.exit(), 2);
  for (const flag of ["--min-workers", "--max-workers", "--host"])
    assert.ok(host.output.includes(flag), host.output);
});

test("an unknown MAYFLY_ variable is a warning, and the host starts", async () => {
  await using host = await SupervisedHost.start({ env: { MAYFLY_PROT: "1" } });
  assert.match(host.output, /MAYFLY_PROT/);
  assert.equal((await fetch(`${host.url}/readyz`)).status, 200);
});
