// Holds the commands that need no host (`serve`, `init`, `build`, `call`) to docs/cli.md, with the
// supervisor and the compiler replaced, so that only the command line is tested.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { hostModules } from "../../host/cli/host-modules.ts";
import type { HostConfig } from "../../host/config.ts";
import { buildError, wasm, withFolder } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

test("serve hands the parsed configuration to the supervisor and returns its exit code", async () => {
  const configs: HostConfig[] = [];
  const modules = {
    superviseHost: async (config: HostConfig) => {
      configs.push(config);
      return 7;
    },
  };
  const flags = [
    "--port",
    "0",
    "--min-workers",
    "0",
    "--token",
    "t",
    "--host-name",
    "a.example",
    "--host-name",
    "b,c",
    "--allow-unmetered",
  ];
  const env = { MAYFLY_PORT: "bad", MAYFLY_DATA: "data", MAYFLY_PROT: "1", MAYFLY_TEST_X: "1" };
  const { exitCode, stdout, stderr } = await cli(["serve", ...flags], { modules, env, cwd: "/srv" });
  assert.equal(exitCode, 7);
  assert.equal(stdout, "");
  assert.match(stderr, /^warning: Unknown variable MAYFLY_PROT is ignored, .*\n$/);
  const [config] = configs;
  assert.equal(config?.port, 0);
  assert.equal(config?.minWorkers, 0);
  assert.equal(config?.token, "t");
  assert.equal(config?.dataDir, "/srv/data");
  assert.deepEqual(config?.hostNames, ["a.example", "b", "c"]);
  assert.equal(config?.allowUnmetered, true);
});

test("serve prints every fault and starts nothing", async () => {
  const { exitCode, stderr } = await cli(["serve", "--port", "x", "--json"], {
    env: { MAYFLY_HOST: "nowhere" },
  });
  assert.equal(exitCode, 2);
  const { code, faults } = JSON.parse(stderr);
  assert.equal(code, "wrong_usage");
  assert.deepEqual(
    faults.map((fault: string) => fault.split(" ")[0]),
    ["MAYFLY_HOST", "--port"],
  );
});

test("a failure of the supervisor is exit 1 with its message", async () => {
  const modules = { superviseHost: () => Promise.reject(new Error("Cannot lock the data folder")) };
  const { exitCode, stderr } = await cli(["serve"], { modules });
  assert.equal(exitCode, 1);
  assert.equal(stderr, "Cannot lock the data folder\n");
});

test("init makes the folder and prints the next steps", async () => {
  const dirs: string[] = [];
  const modules = {
    initProject: async (dir: string) => {
      dirs.push(dir);
      return { files: [".mayfly-sdk/a/b.ts", ".mayfly-sdk/c.ts", "asconfig.json", "index.ts"] };
    },
  };
  const text = await cli(["init", "My_App"], { modules, cwd: "/srv" });
  assert.equal(text.exitCode, 0, text.stderr);
  assert.deepEqual(dirs, ["/srv/My_App"]);
  assert.match(
    text.stdout,
    /^Made My_App\/asconfig\.json\nMade My_App\/index\.ts\nMade My_App\/\.mayfly-sdk\/ \(.*\)\n/,
  );
  assert.match(text.stdout, /mayfly serve/);
  assert.match(text.stdout, /mayfly dev My_App\/index\.ts my-app +in/);
  const json = await cli(["init", "x", "--json"], { modules, cwd: "/srv" });
  const { dir, files } = JSON.parse(json.stdout);
  assert.equal(dir, "/srv/x");
  assert.equal(files.length, 4);
});

test("build writes the module beside the source, or where -o says, and nothing else", async () => {
  const modules = { compileFunction: async () => ({ wasm, warnings: "" }) };
  await withFolder(async (cwd) => {
    const beside = await cli(["build", "./hello.ts"], { modules, cwd });
    assert.equal(beside.exitCode, 0, beside.stderr);
    assert.equal(beside.stdout, "Built ./hello.wasm (8 B)\n");
    const named = await cli(["build", "hello.ts", "-o", "out.wasm", "--json"], { modules, cwd });
    assert.deepEqual(JSON.parse(named.stdout), { file: "out.wasm", bytes: 8 });
    assert.deepEqual(await readFile(join(cwd, "hello.wasm")), wasm);
    assert.deepEqual(await readFile(join(cwd, "out.wasm")), wasm);
    assert.deepEqual((await readdir(cwd)).sort(), ["hello.ts", "hello.wasm", "other.wasm", "out.wasm"]);
    const nowhere = await cli(["build", "hello.ts", "-o", "no/such/out.wasm"], { modules, cwd });
    assert.equal(nowhere.exitCode, 1);
    assert.equal(nowhere.stderr, 'Cannot write "no/such/out.wasm": there is no such file or folder\n');
  });
});

test("build prints the compiler's errors as they are and writes nothing", async () => {
  const text = "hello.ts:3:7: error TS1005: ';' expected\n  3 | let\n    |    ^";
  const modules = { compileFunction: () => Promise.reject(buildError(text)) };
  await withFolder(async (cwd) => {
    const failed = await cli(["build", "hello.ts", "-o", "out.wasm"], { modules, cwd });
    assert.equal(failed.exitCode, 1);
    assert.equal(failed.stderr, `${text}\n`);
    assert.equal((await readdir(cwd)).includes("out.wasm"), false);
    const json = await cli(["build", "hello.ts", "--json"], { modules, cwd });
    assert.deepEqual(JSON.parse(json.stderr), { code: "build_failed", message: text });
  });
});

test("call runs an export of a .ts file with typed arguments, and of a .wasm file", async () => {
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "math.ts"), source);
    const modules = hostModules;
    const joined = await cli(["call", "math.ts", "join", '["a","b"]', "--", "--json"], { modules, cwd });
    assert.equal(joined.exitCode, 0, joined.stderr);
    assert.equal(joined.stdout, "a--jsonb\n");
    const sum = await cli(["call", "math.ts", "add", "-1", "3", "--json"], { modules, cwd });
    assert.deepEqual(JSON.parse(sum.stdout), { result: "2" });
    const nothing = await cli(["call", "math.ts", "say", "x"], { modules, cwd });
    assert.equal(nothing.stdout, "");
    assert.match(nothing.stderr, /said x/);

    const unknown = await cli(["call", "math.ts", "sub"], { modules, cwd });
    assert.equal(unknown.exitCode, 2);
    assert.match(unknown.stderr, /Cannot call "sub": .*it exports .*add/);
    await writeFile(join(cwd, "math.ts"), "export function f(): i32 { return nope; }");
    const bad = await cli(["call", "math.ts", "f"], { modules, cwd });
    assert.equal(bad.exitCode, 1);
    assert.match(bad.stderr, /^math\.ts:1:35: error /);

    await writeFile(join(cwd, "add.wasm"), addModule);
    const bare = await cli(["call", "add.wasm", "add", "40", "2"], { modules, cwd });
    assert.equal(bare.stdout, "42\n", bare.stderr);
    const other = await cli(["call", "add.js", "add"], { modules, cwd });
    assert.equal(other.exitCode, 2);
  });
});

const source = `
  export function add(a: i32, b: i32): i32 { return a + b; }
  export function join(parts: string[], by: string): string { return parts.join(by); }
  export function say(text: string): void { console.log("said " + text); }
`;

/** (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
const addModule = Buffer.from(
  "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b",
  "hex",
);
