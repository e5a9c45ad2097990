// What the process that runs guests may do, by Node's permission model, were something in it to run code of its
// own: read its code and the data folder, write there, use the network and threads, and nothing else.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hostFlags, inspectorFlags } from "../../host/engine-flags.ts";
import { answering } from "../flow/guests.ts";
import { SupervisedHost } from "../flow/supervised-host.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-permissions-"));
const outside = mkdtempSync(join(tmpdir(), "mayfly-outside-"));
const secret = join(outside, "secret");
writeFileSync(secret, "not yours");
writeFileSync(join(folder, "mine"), "mine");
after(() => {
  for (const each of [folder, outside]) rmSync(each, { recursive: true });
});

/** What comes of each attempt: "done", or the code of the error. */
const probe = `
const fs = require("node:fs");
const { join } = require("node:path");
const [outside, own] = process.argv.slice(-2);
const attempts = {
  readOutside: () => fs.readFileSync(join(outside, "secret")),
  listOutside: () => fs.readdirSync(outside),
  statOutside: () => fs.statSync(join(outside, "secret")),
  writeOutside: () => fs.writeFileSync(join(outside, "new"), ""),
  readDotDot: () => fs.readFileSync(join(own, "..", require("node:path").basename(outside), "secret")),
  link: () => fs.symlinkSync(outside, join(own, "link")),
  hardLink: () => fs.linkSync(join(outside, "secret"), join(own, "link")),
  database: () => new (require("node:sqlite").DatabaseSync)(join(outside, "new.db")).exec("CREATE TABLE t (x)"),
  spawn: () => require("node:child_process").spawnSync(process.execPath, ["-v"]),
  fork: () => require("node:child_process").fork(join(own, "mine")),
  addon: () => process.dlopen({ exports: {} }, join(own, "addon.node")),
  wasi: () => new (require("node:wasi").WASI)({ version: "preview1", preopens: { "/": "/" } }),
  inspector: () => require("node:inspector").open(0),
  readOwn: () => fs.readFileSync(join(own, "mine")),
  writeOwn: () => fs.writeFileSync(join(own, "mine"), "mine"),
  listen: () => require("node:net").createServer().listen(0).close(),
  thread: () => new (require("node:worker_threads").Worker)("", { eval: true }),
};
process.on("uncaughtException", () => {});
const found = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    found[name] = "done";
  } catch (error) {
    found[name] = error.code ?? String(error);
  }
}
require("node:fs").writeSync(1, JSON.stringify(found));
process.exit(0);
`;

/** What a process with these flags can do. */
function attemptsOf(flags: readonly string[]): Record<string, string> {
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, "-e", probe, "--", outside, folder], {
    encoding: "utf8",
  });
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as Record<string, string>;
}

const denied = "ERR_ACCESS_DENIED";
const refusedToAll = {
  readOutside: denied,
  listOutside: denied,
  statOutside: denied,
  writeOutside: denied,
  readDotDot: denied,
  link: denied,
  hardLink: denied,
  spawn: denied,
  fork: denied,
  addon: "ERR_DLOPEN_DISABLED",
  wasi: denied,
  inspector: denied,
};

test("the host process reads and writes the data folder, and starts no process and no add-on", () => {
  assert.deepEqual(attemptsOf(hostFlags(folder, false)), {
    ...refusedToAll,
    // Node's permission model does not reach node:sqlite: a known gap (docs/threat-model.md, "The boundary").
    database: "done",
    readOwn: "done",
    writeOwn: "done",
    listen: "done",
    thread: "done",
  });
  assert.equal(readFileSync(secret, "utf8"), "not yours");
});

test("the inspector does not even that", () => {
  const found = attemptsOf(inspectorFlags());
  for (const [name, outcome] of Object.entries(refusedToAll)) assert.equal(found[name], outcome, name);
  for (const name of ["readOwn", "writeOwn", "thread"]) assert.equal(found[name], denied, name);
});

test("a host that has deployed runs under those flags, and has no child: inspectors are the supervisor's", async () => {
  await using host = await SupervisedHost.start();
  assert.equal((await host.deploy("hello", answering("hello"))).status, 201);
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const processes = rows.map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? []);
  const below = (parent: number): string[] =>
    processes.flatMap(([, , of, command = ""]) => (Number(of) === parent ? [command] : []));
  assert.deepEqual(below(host.hostPid), []);
  const children = below(host.supervisorPid);
  assert.ok(
    children.some((command) => command.includes("inspector.ts")),
    children.join("\n"),
  );
  const own = children.find((command) => command.includes("host-process.ts")) ?? "";
  for (const flag of hostFlags(host.dataDir, false)) assert.ok(own.includes(flag), flag);
  assert.doesNotMatch(own, /--allow-(child-process|addons|wasi|inspector)/);
});
