// The promise: `npm start` serves with the examples deployed, prints one curl command for each that
// answers 2xx, and keeps what a user deployed over a stop and a start.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { exampleNames } from "../../scripts/examples.ts";
import { compiled } from "../support/compiled.ts";
import { answering } from "./guests.ts";
import { until } from "./supervised-host.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** What `npm start` runs, in a process group of its own. */
async function npmStart(data: string) {
  const child = spawn(process.execPath, [join(root, "scripts/run.js"), "start"], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MAYFLY_PORT: "0", MAYFLY_DATA: data },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  try {
    await until(
      () => /Stop with Ctrl-C/.test(output) || child.exitCode !== null,
      60_000,
      () => output,
    );
  } catch (error) {
    process.kill(-(child.pid ?? 0), "SIGKILL");
    throw error;
  }
  return {
    url: /listening on (http:\S+)/.exec(output)?.[1] ?? "",
    curls: output.split("\n").filter((line) => line.startsWith("curl ")),
    async stop(): Promise<number | null> {
      if (child.exitCode !== null) return child.exitCode;
      const exited = once(child, "exit");
      // As Ctrl-C in a terminal: to every process of the group.
      process.kill(-(child.pid ?? 0), "SIGINT");
      await exited;
      return child.exitCode;
    },
  };
}

test("npm start prints a working curl command per example and keeps its data over a restart", async () => {
  const data = await mkdtemp(join(tmpdir(), "mayfly-start-"));
  const folder = await mkdtemp(join(tmpdir(), "mayfly-curl-"));
  const examples = await exampleNames();
  // The other tests want them, too, and build them at this time.
  for (const name of examples) await compiled(join(root, "guest/examples", name, "index.ts"));
  const first = await npmStart(data);
  try {
    assert.deepEqual(
      first.curls.map((line) => /\/fn\/([a-z-]+)/.exec(line)?.[1]),
      examples,
    );
    for (const line of first.curls) {
      for (const forbidden of ["|", ">", "\u001b"]) assert.ok(!line.includes(forbidden), line);
      const { stdout } = await run("sh", ["-c", `${line} -w '%{stderr}%{http_code}' 2>&1 >/dev/null`], {
        cwd: folder,
      });
      assert.match(stdout, /2\d\d$/, line);
    }
    const own = await fetch(`${first.url}/v1/functions/hello`, {
      method: "PUT",
      body: new Uint8Array(answering("my own hello")),
      headers: { "content-type": "application/wasm" },
    });
    assert.equal(own.status, 201);
  } finally {
    assert.equal(await first.stop(), 0);
  }
  const second = await npmStart(data);
  try {
    assert.equal(second.curls.length, examples.length);
    assert.equal(await (await fetch(`${second.url}/fn/hello`)).text(), "my own hello");
  } finally {
    assert.equal(await second.stop(), 0);
  }
  await rm(data, { recursive: true });
  await rm(folder, { recursive: true });
});
