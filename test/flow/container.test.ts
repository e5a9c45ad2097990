// What the Dockerfile's steps make, run as an image runs it: by another account, which may write nothing but
// the data folder, as process 1 of a space of its own where the machine lets us.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { instructionsOf, jsonOf } from "../support/dockerfile.ts";
import { type InstalledPackage, installPackage } from "../support/installed-package.ts";
import { answering } from "./guests.ts";
import { until } from "./supervised-host.ts";

const image =
  instructionsOf(readFileSync(join(import.meta.dirname, "../../Dockerfile"), "utf8")).at(-1) ?? [];
const last = (keyword: string): string => image.findLast((each) => each.keyword === keyword)?.rest ?? "";
const [uid = 0, gid = 0] = last("USER").split(":").map(Number);
const mayChange = process.getuid?.() === 0;
const mayUnshare = mayChange && spawnSync("unshare", ["-fp", "--mount-proc", "true"]).status === 0;

const checkout = join(import.meta.dirname, "../..");
let installed: InstalledPackage;
before(async () => {
  if (!mayChange) return;
  installed = await installPackage();
  chmodSync(installed.project, 0o755);
});
after(() => installed?.[Symbol.asyncDispose]());

/** A data folder of the account's own. */
function dataFolder(name: string): string {
  const folder = join(installed.project, name);
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, uid, gid);
  return folder;
}

/** A command of the Dockerfile, with the paths of this machine in place of the image's. */
function onThisMachine(...words: string[]): string[] {
  // The one that was installed: the account may not look into the folder that the checkout lies in.
  const node = process.execPath.replace(checkout, installed.project);
  return words.map((word) => (word === "node" ? node : word.replace("/opt/mayfly", installed.folder)));
}

function environment(data: string): NodeJS.ProcessEnv {
  // A temporary folder is not there, as in an image whose root may not be written to.
  return {
    MAYFLY_DATA: data,
    MAYFLY_HOST: "127.0.0.1",
    MAYFLY_PORT: "0",
    TMPDIR: "/nonexistent",
    PATH: "/usr/bin",
  };
}

type Started = { readonly child: ChildProcess; readonly url: string; output: () => string };

async function start(
  words: readonly string[],
  options: { uid?: number; gid?: number; data: string },
): Promise<Started> {
  const { data, ...account } = options;
  const [program = "", ...rest] = words;
  const child = spawn(program, rest, {
    ...account,
    cwd: data,
    env: environment(data),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await until(
    () => /listening on/.test(output) || child.exitCode !== null,
    60_000,
    () => output,
  );
  return { child, url: /listening on (http:\S+)/.exec(output)?.[1] ?? "", output: () => output };
}

/** When something below was last changed. */
function changedAtMs(folder: string): number {
  const times = readdirSync(folder, { recursive: true, encoding: "utf8" }).map(
    (name) => statSync(join(folder, String(name))).ctimeMs,
  );
  return Math.max(...times);
}

const whyNot = "it takes root to run a host by another account";

test("a host that may write nothing but its data folder deploys, calls, is healthy and drains", async (context) => {
  if (!mayChange) {
    context.skip(whyNot);
    return;
  }
  const data = dataFolder("data");
  const before = changedAtMs(installed.folder);
  const entry = onThisMachine(...jsonOf(last("ENTRYPOINT")), ...jsonOf(last("CMD")));
  const { child, url, output } = await start(entry, { uid, gid, data });
  try {
    const deployed = await fetch(`${url}/v1/functions/hello`, {
      method: "PUT",
      body: new Uint8Array(answering("contained")),
      headers: { "content-type": "application/wasm" },
    });
    assert.equal(deployed.status, 201, await deployed.text());
    assert.equal(await (await fetch(`${url}/fn/hello`)).text(), "contained");
    const [program = "", ...check] = onThisMachine(...jsonOf(last("HEALTHCHECK").replace(/^.*?CMD /s, "")));
    const health = (port: string) =>
      spawnSync(program, check, { uid, gid, cwd: data, env: { MAYFLY_PORT: port } }).status;
    assert.equal(health(new URL(url).port), 0);
    assert.equal(health("1"), 1);
    assert.equal((await fetch(`${url}/v1/backup`, { method: "POST" })).status, 200);
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, output());
    assert.equal(changedAtMs(installed.folder), before);
  } finally {
    child.kill("SIGKILL");
  }
});

test("as process 1 the supervisor drains on a signal, and leaves no process behind that nobody waits for", async (context) => {
  if (!mayUnshare) {
    context.skip("it takes root, and a machine that lets processes have a space of their own");
    return;
  }
  const data = dataFolder("data-of-1");
  const entry = onThisMachine(...jsonOf(last("ENTRYPOINT")), ...jsonOf(last("CMD")));
  const space = ["unshare", "--fork", "--pid", "--mount-proc"];
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  const { child, url, output } = await start([...space, ...drop, ...entry], { data });
  let supervisor = 0;
  try {
    const inside = (): { pid: number; parent: number; state: string; command: string }[] => {
      const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" }).split(
        "\n",
      );
      return rows.flatMap((row) => {
        const [, pid, parent, state = "", command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(row) ?? [];
        return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), state, command }];
      });
    };
    supervisor = inside().find(({ parent }) => parent === child.pid)?.pid ?? 0;
    assert.ok(supervisor > 0, output());
    const below = () => inside().filter(({ parent }) => parent === supervisor);
    const host = below().find(({ command }) => command.includes("host-process"));
    process.kill(host?.pid ?? 0, "SIGKILL");
    await until(
      () => /is back after/.test(output()),
      30_000,
      () => output(),
    );
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    // What the host that died had started has ended, and is waited for.
    await until(
      () => below().every(({ state }) => !state.startsWith("Z")),
      10_000,
      () => JSON.stringify(below()),
    );
    process.kill(supervisor, "SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, output());
  } finally {
    // With process 1 all others of its space end.
    if (supervisor > 0 && child.exitCode === null) process.kill(supervisor, "SIGKILL");
    child.kill("SIGKILL");
  }
});
