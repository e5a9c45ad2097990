// Holds `bin/mayfly.js` to its promise: any Node from 20 on can start it, the exit code and the
// output are the command's. The only tests of test/cli that spawn.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { startFakeHost } from "./fake-host.ts";
import { seed } from "./fixtures.ts";
import { until } from "./run-cli.ts";

const bin = join(import.meta.dirname, "..", "..", "bin", "mayfly.js");
const systemNode = findSystemNode();
const launchers = [["this Node", process.execPath]];
if (systemNode !== null) launchers.push(["the machine's own Node", systemNode]);

for (const [what = "", node = ""] of launchers) {
  test(`${what} starts the command, which answers with its exit code and output`, async () => {
    await using host = await startFakeHost();
    await seed(host);
    const listed = await run(node, ["list", "--json"], host.url);
    assert.equal(listed.exitCode, 0, listed.stderr);
    assert.equal(JSON.parse(listed.stdout)[0].name, "hello");
    const wrong = await run(node, ["delpoy"], host.url);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /Did you mean deploy/);
    const failed = await run(node, ["remove", "nobody"], host.url);
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /^function_not_found: /);
  });
}

test("SIGINT ends logs -f with exit code 0, also when it comes twice", async () => {
  await using host = await startFakeHost();
  await seed(host);
  const child = spawn(process.execPath, [bin, "logs", "hello", "-f", "--url", host.url], { stdio: "ignore" });
  const ended = once(child, "exit");
  try {
    await until(() => host.followers.size === 1, "the stream");
    child.kill("SIGINT");
    child.kill("SIGINT");
    assert.deepEqual(await ended, [0, null]);
  } finally {
    child.kill("SIGTERM");
  }
});

type Spawned = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

function run(node: string, argv: readonly string[], url: string): Promise<Spawned> {
  return new Promise((resolve) => {
    const env = { ...process.env, MAYFLY_URL: url };
    const child = execFile(node, [bin, ...argv], { env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** The first `node` on the path that is not in node_modules and is of 20 or later; null where there is none. */
function findSystemNode(): string | null {
  const folders = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"));
  for (const folder of [...folders, "/usr/bin", "/usr/local/bin"]) {
    const path = join(folder, "node");
    if (folder === "" || dirname(process.execPath) === folder) continue;
    try {
      const major = Number(execFileSync(path, ["-p", "process.versions.node"]).toString().split(".")[0]);
      if (major >= 20) return path;
    } catch {
      // No node in this folder.
    }
  }
  return null;
}
