// Holds wrong calls of the command line to exit code 2 and to saying what to type instead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cli } from "./run-cli.ts";

const wrong: [argv: string[], says: RegExp][] = [
  [[], /^Name a command: serve, init, build, .*call, bench\n/],
  [["delpoy", "hello"], /Unknown command 'delpoy'\n\(Did you mean deploy\?\)/],
  [
    ["deploy", "hello"],
    /Missing required argument 'file'\nUsage: mayfly deploy <name> <file> .*\nExample: mayfly deploy hello/,
  ],
  [["deploy", "hello", "hello.txt"], /Cannot use "hello.txt", want a .ts or a .wasm file\nUsage:/],
  [
    ["deploy", "hello", "main.c"],
    /Cannot use "main.c", .*: compile it first, as docs\/languages.md shows\nUsage:/,
  ],
  [["deploy", "Hello_World", "x.ts"], /Cannot use "Hello_World" as a function name.* such as hello-world\n/],
  [["deploy", "../limits", "x.ts"], /as a function name, .*such as limits\n/],
  [["deploy", "hello", "x.wasm", "--env", "KEY"], /Cannot read "KEY", want KEY=VALUE/],
  [["deploy", "hello", "x.wasm", "--evn", "A=1"], /Unknown option '--evn'\n\(Did you mean --env\?\)/],
  [["init"], /Missing required argument 'dir'/],
  [["build", "hello.py"], /Cannot build "hello.py", want a .ts file/],
  [
    ["build"],
    /Usage: mayfly build <file> \[-o <file>\] \[--target <target>\] \[--reuse\]\nExample: mayfly build hello.ts/,
  ],
  [["list", "all"], /Too many arguments for 'list'/],
  [["logs"], /Usage: mayfly logs <name> \[-f\]\nExample: mayfly logs hello\n/],
  [["config", "hello", "timeout=500"], /Unknown key "timeout", did you mean timeoutMs\n/],
  [["config", "hello", "memroyMb=5"], /Unknown key "memroyMb", did you mean memoryMb\n/],
  [["config", "hello", "colour=red"], /Unknown key "colour", known are timeoutMs, .*env.NAME/],
  [["config", "hello", "timeoutMs=1s"], /timeoutMs is "1s", want a whole number such as timeoutMs=500/],
  [["config", "hello", "env=x"], /Cannot set env as a whole, want env.NAME=VALUE/],
  [["config", "hello", "timeoutMs"], /Cannot read "timeoutMs", want KEY=VALUE/],
  [["config", "hello", "--unset", "timeout"], /Unknown key "timeout", did you mean timeoutMs/],
  [["rollback", "hello", "first"], /Cannot read "first" as a version, want a number such as 2/],
  [["rollback", "hello", "0"], /Cannot read "0" as a version/],
  [["rollback"], /Missing required argument 'name'/],
  [["rollback", "hello", "--alias", "7"], /Cannot use "7" as an alias/],
  [["release", "hello"], /Missing required argument 'version'/],
  [["release", "hello", "2", "--canary", "110%"], /Cannot read "110%" as a share, want 0% to 100%/],
  [["release", "hello", "2", "--canary", "some"], /Cannot read "some" as a share/],
  [["release", "hello", "2", "--sticky", "cookie:a"], /add --canary 10%, or leave it out/],
  [["release", "hello", "2", "--canary", "5%", "--sticky", "ip"], /want header:NAME or cookie:NAME/],
  [["release", "hello", "2", "--canary", "5%", "--window", "60s"], /no bound to judge it by/],
  [["release", "hello", "2", "--canary", "5%", "--max-p99", "fast"], /Cannot read "fast" as a time/],
  [["route", "add", "a", "/a"], /Name a function, or give --redirect URL or --respond TEXT/],
  [["route", "add", "a", "/a", "hello", "--redirect", "/b"], /one of them/],
  [["route", "add", "a", "/a", "--redirect", "/b", "--status", "moved"], /Cannot read "moved" as a status/],
  [["route", "add", "a", "/a", "hello", "--status", "200"], /--status is for --redirect and --respond/],
  [["deploy", "hello", "hello.wasm", "--no-live", "--env", "A=1"], /leave out --env/],
  [["remove"], /Missing required argument 'name'/],
  [["dev", "hello.wasm"], /Cannot watch "hello.wasm", want a .ts file/],
  [["dev", "hello.ts", "Bad Name"], /Cannot use "Bad Name" as a function name/],
  [["call", "math.ts"], /Missing required argument 'export'\nUsage: mayfly call/],
  [["invoke"], /Missing required argument 'name'/],
  [["invoke", "hello@/x"], /Cannot read "hello@\/x", want NAME or NAME@VERSION/],
  [["invoke", "hello", "-X", "GE T"], /Cannot use "GE T" as a method/],
  [["invoke", "hello", "-X", "CONNECT"], /Cannot use "CONNECT" as a method/],
  [["invoke", "hello", "-H", "no colon"], /Cannot use "no colon" as a header, want 'Name: value'/],
  [["invoke", "hello", "-H", "a: b\r\nc: d"], /as a header, want/],
  [["list", "--url", "localhost:4747"], /--url is "localhost:4747", want the host's address such as http:/],
  [["list", "--url", "http://u:hush@h/"], /--url is not usable, want/],
  [["list", "--token", "two words"], /--token is not usable, want/],
  [["serve", "--port", "x", "--host", "nowhere"], /2 faults:\n {2}--host is "nowhere".*\n {2}--port is "x"/],
];

for (const [argv, says] of wrong) {
  test(`"mayfly ${argv.join(" ").replace(/\r\n/g, "\\r\\n")}" is wrong usage`, async () => {
    const { exitCode, stdout, stderr } = await cli(argv);
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    assert.match(stderr, says);
    assert.match(stderr, /\nUsage: mayfly .*\nExample: mayfly .*\n$/);
    assert.doesNotMatch(stderr, /hush|two words/);
  });
}

test("wrong usage with --json is one JSON document on stderr", async () => {
  const { exitCode, stdout, stderr } = await cli(["deploy", "hello", "--json"]);
  assert.equal(exitCode, 2);
  assert.equal(stdout, "");
  const document = JSON.parse(stderr);
  assert.equal(document.code, "wrong_usage");
  assert.equal(document.message, "Missing required argument 'file'");
  assert.equal(document.example, "mayfly deploy hello hello.ts");
});

test("--help lists every command of the contract and exits 0", async () => {
  const { exitCode, stdout, stderr } = await cli(["--help"]);
  assert.equal(exitCode, 0);
  assert.equal(stderr, "");
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]);
  const wanted =
    "serve init build deploy invoke list logs config release promote rollback alias route secret kv blob invocations usage top trigger publish events token namespace audit remove backup restore dev call bench help";
  assert.deepEqual(listed, wanted.split(" "));
});

test("the help of serve names every setting with its variable and default", async () => {
  const { exitCode, stdout } = await cli(["help", "serve"]);
  assert.equal(exitCode, 0);
  const text = stdout.replace(/\s+/g, " ");
  assert.match(text, /--port <port> TCP port to listen on; 0 = any free one \(MAYFLY_PORT, default 4747\)/);
  assert.match(text, /MAYFLY_HOST_NAMES/);
});

test("--version prints the package's version", async () => {
  const { exitCode, stdout } = await cli(["--version"]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});
