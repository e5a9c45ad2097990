// Holds `mayfly dev` to its promise against a fake host and a fake compiler: a deploy at each save,
// however the editor saves, errors that do not end it, log lines, a clean end.

import assert from "node:assert/strict";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { CompileOptions } from "../../host/build/compile.ts";
import { nameOfFile } from "../../host/cli/file-name.ts";
import { type FakeHost, logLines, startFakeHost } from "./fake-host.ts";
import { buildError, wasm, withFolder } from "./fixtures.ts";
import { cli, startCli, until } from "./run-cli.ts";

/** "Compiles" a file to a module whose custom section is the source; `!` in it is an error. */
async function compileFunction({ file, cwd = "" }: CompileOptions) {
  const source = await readFile(join(cwd, file), "utf8");
  if (source.includes("!"))
    throw buildError(`${file}:1:${source.indexOf("!") + 1}: error TS1005: unexpected !`);
  const bytes = Buffer.from(source);
  return { wasm: Buffer.concat([wasm, Buffer.from([0, bytes.length + 1, 0]), bytes]), warnings: "" };
}

const modules = { compileFunction };

const sources = (host: FakeHost): string[] =>
  host.received.filter(({ method }) => method === "PUT").map(({ body }) => body.subarray(11).toString());

test("dev deploys at the start and at every save, also by rename, and in folders made later", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "hello.ts"), "one");
    await using dev = startCli(["dev", "hello.ts", "--url", host.url], { cwd, modules });
    await until(() => sources(host).includes("one"), "the first deploy");

    await writeFile(join(cwd, "hello.ts"), "two");
    await until(() => sources(host).includes("two"), "the deploy after a save");

    for (const text of ["three", "four"]) {
      await writeFile(join(cwd, ".hello.ts.tmp"), text);
      await rename(join(cwd, ".hello.ts.tmp"), join(cwd, "hello.ts"));
      await until(() => sources(host).includes(text), `the deploy after a rename to ${text}`);
    }

    const before = sources(host).length;
    await mkdir(join(cwd, "lib"));
    await writeFile(join(cwd, "lib", "part.ts"), "x");
    await until(() => sources(host).length > before, "the deploy after a new import");
    const between = sources(host).length;
    await writeFile(join(cwd, "lib", "part.ts"), "xy");
    await until(() => sources(host).length > between, "the deploy after its change");

    dev.interrupt();
    const { exitCode, stdout, stderr } = await dev.done;
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stdout,
      /^Deployed hello v1 .* in \d+ ms \(build \d+ ms, deploy \d+ ms\): http:.*\/fn\/hello\n/,
    );
    assert.match(stderr, /^Watching .* for hello; Ctrl-C ends it\n/);
  });
});

test("dev shows a build error with its place and goes on", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "hello.ts"), "bad!");
    await using dev = startCli(["dev", "hello.ts", "--url", host.url], { cwd, modules });
    await until(() => dev.stderr().includes("hello.ts:1:4: error TS1005"), "the error");
    assert.deepEqual(sources(host), []);
    await writeFile(join(cwd, "hello.ts"), "good");
    await until(() => sources(host).includes("good"), "the deploy");
    dev.interrupt();
    assert.equal((await dev.done).exitCode, 0);
  });
});

test("dev shows a refused deploy and goes on, and prints the function's log", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await using dev = startCli(["dev", "hello.ts", "greeter", "--json", "--url", host.url], { cwd, modules });
    await until(() => host.followers.size === 1, "the log stream");
    for (const follower of host.followers) follower.write(`data: ${JSON.stringify(logLines[0])}\n\n`);
    await until(() => dev.stdout().includes('"event":"log"'), "the log line");
    const control = host.answer;
    host.answer = (_request, response) =>
      response
        .writeHead(422, { "content-type": "application/problem+json" })
        .end('{"code":"start_failed","detail":"d"}');
    await writeFile(join(cwd, "hello.ts"), "refused");
    await until(() => dev.stdout().includes("start_failed: d"), "the refusal");
    host.answer = control;
    await writeFile(join(cwd, "hello.ts"), "taken");
    await until(() => sources(host).includes("taken"), "the next deploy");
    dev.interrupt();
    const { exitCode, stdout } = await dev.done;
    assert.equal(exitCode, 0);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(events[0].event, "deployed");
    assert.equal(events[0].name, "greeter");
    assert.equal(events.find(({ event }) => event === "log").message, "hello");
    assert.equal(events.find(({ event }) => event === "failed").code, "start_failed");
  });
});

test("dev ends with the way out where no host is reachable at the start", async () => {
  const host = await startFakeHost();
  await host[Symbol.asyncDispose]();
  await withFolder(async (cwd) => {
    const { exitCode, stderr } = await cli(["dev", "hello.ts", "--url", host.url], { cwd, modules });
    assert.equal(exitCode, 1);
    assert.match(stderr, /^Cannot reach the host at .*; start one with "mayfly serve"\n$/);
  });
});

const names: [path: string, name: string][] = [
  ["/a/hello.ts", "hello"],
  ["/a/My_Function.as.ts", "my-function"],
  ["/a/greeter/index.ts", "greeter"],
  ["/a/greeter/src/main.ts", "greeter"],
  ["/a/helloWorld.ts", "hello-world"],
];

for (const [path, name] of names) {
  test(`dev calls the function of ${path} ${name}`, () => assert.equal(nameOfFile(path), name));
}
