// The published package, outside of the repository: everything that it starts by a file's name, threads and
// processes, is there compiled.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { component, handler, section } from "../support/components.ts";
import { type InstalledPackage, installPackage } from "../support/installed-package.ts";
import { answering } from "./guests.ts";
import { SupervisedHost } from "./supervised-host.ts";

const run = promisify(execFile);
const greet = `import { Request, Response } from "mayfly";
export function handle(req: Request): Response { return Response.text("Hello, " + req.path); }
`;
let installed: InstalledPackage;

before(async () => {
  installed = await installPackage();
});
after(() => installed[Symbol.asyncDispose]());

/** So large that a thread of its own reads it. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, section(0, Buffer.concat([Buffer.from("\x01x"), Buffer.alloc(300_000)]))]);
}

/** The command's output; rejects when it fails. */
async function mayfly(...words: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [installed.command, ...words], { cwd: installed.project });
  return stdout;
}

test("the package holds no source of the host, and no install script", () => {
  const manifest = JSON.parse(readFileSync(join(installed.folder, "package.json"), "utf8"));
  for (const step of ["preinstall", "install", "postinstall"])
    assert.equal(manifest.scripts[step], undefined);
  const names = readdirSync(installed.folder, { recursive: true, encoding: "utf8" }).map(String);
  const sources = names.filter((name) => name.endsWith(".ts") && !name.startsWith("guest"));
  assert.deepEqual(sources, []);
  assert.deepEqual(
    names.filter((name) => /^(test|bench|host)\b/.test(name)),
    [],
  );
});

test("npx runs the command that the project has installed", async () => {
  const npx = process.env["npm_execpath"]?.replace(/npm-cli\.js$/, "npx-cli.js");
  const [program, ...first] = npx === undefined ? ["npx"] : [process.execPath, npx];
  const { stdout } = await run(program as string, [...first, "--no-install", "mayfly", "--version"], {
    cwd: installed.project,
  });
  const manifest = JSON.parse(readFileSync(join(installed.folder, "package.json"), "utf8"));
  assert.equal(stdout.trim(), manifest.version);
});

test("init and build make a module, without a host", async () => {
  await mayfly("init", "project");
  const files = readdirSync(join(installed.project, "project"), { recursive: true }).map(String);
  assert.ok(files.includes(join(".mayfly-sdk", "mayfly", "index.ts")), String(files));
  writeFileSync(join(installed.project, "greet.ts"), greet);
  await mayfly("build", "greet.ts", "-o", "greet.wasm");
  assert.ok(WebAssembly.validate(readFileSync(join(installed.project, "greet.wasm"))));
});

test("an installed host deploys, calls and restarts, on threads and on the main thread", async () => {
  const answer = "(call $answer (local.get $out) (i32.const 1024) (i32.const 4))";
  const part = component(handler(answer, "", '(data (i32.const 1024) "part")'));
  writeFileSync(join(installed.project, "part.wasm"), padded(part));
  for (const [file, flags] of [
    ["greet.ts", []],
    ["greet.wasm", ["--threads-only"]],
  ] as const) {
    await using host = await SupervisedHost.start({ command: installed.command, arguments: flags });
    const at = ["--url", host.url];
    assert.match(await mayfly("deploy", "greet", file, ...at), /Deployed greet v1/);
    assert.equal(await mayfly("invoke", "greet", "/you", ...at), "Hello, /you");
    assert.match(await mayfly("deploy", "part", "part.wasm", ...at), /Deployed part v1/);
    assert.equal(await (await fetch(`${host.url}/fn/part`)).text(), "part");
    await host.killHost();
    assert.equal(await mayfly("invoke", "greet", "/again", ...at), "Hello, /again");
    assert.equal((await host.deploy("wat", padded(answering("from text")))).status, 201);
    assert.equal(await (await fetch(`${host.url}/fn/wat`)).text(), "from text");
    process.kill(host.supervisorPid, "SIGTERM");
    assert.equal(await host.exit(), 0, host.output);
  }
});
