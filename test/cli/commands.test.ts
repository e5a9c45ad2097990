// Holds `list`, `config`, `rollback`, `remove` and what all commands share (token, unreachable host,
// colours) to docs/cli.md against a fake host.

import assert from "node:assert/strict";
import { test } from "node:test";
import { problem, startFakeHost } from "./fake-host.ts";
import { seed } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

test("list prints a table, and with --json the records", async () => {
  await using host = await startFakeHost();
  const none = await cli(["list", "--url", host.url]);
  assert.equal(none.exitCode, 0);
  assert.match(none.stdout, /^No functions yet/);
  await seed(host);
  const table = await cli(["list", "--url", host.url]);
  assert.equal(table.exitCode, 0);
  assert.deepEqual(table.stdout.split("\n"), [
    "NAME   VERSION  SIZE  CREATED               URL",
    `hello  v2       11 B  2026-01-02T03:04:05Z  ${host.url}/fn/hello`,
    "",
  ]);
  const json = await cli(["list", "--json", "--url", host.url]);
  const [record] = JSON.parse(json.stdout);
  assert.equal(record.name, "hello");
  assert.equal(record.version, 2);
});

test("config without pairs prints the effective values", async () => {
  await using host = await startFakeHost();
  host.configs.set("hello", { timeoutMs: 500, env: { GREETING: "Hi\u001b[2J" }, allowedHosts: [] });
  const { exitCode, stdout } = await cli(["config", "hello", "--url", host.url]);
  assert.equal(exitCode, 0);
  const lines = stdout.split("\n").map((line) => line.replace(/ +/, " "));
  assert.deepEqual(lines, [
    "KEY VALUE",
    "timeoutMs 500",
    "env.GREETING Hi\\x1b[2J",
    "allowedHosts (none)",
    "",
  ]);
  const json = await cli(["config", "hello", "--json", "--url", host.url]);
  assert.equal(JSON.parse(json.stdout).timeoutMs, 500);
});

test("config with pairs changes those and keeps the others", async () => {
  await using host = await startFakeHost();
  host.configs.set("hello", {
    timeoutMs: 500,
    cpuMs: 7,
    queue: 9,
    env: { A: "1", B: "2" },
    allowedHosts: ["x"],
  });
  const pairs = [
    "timeoutMs=600",
    "queue=0",
    "env.C=three",
    "env.A=",
    "allowedHosts=a.example, *.b.example:80",
  ];
  const unset = ["--unset", "env.B", "--unset", "cpuMs"];
  const { exitCode, stderr } = await cli(["config", "hello", ...pairs, ...unset, "--url", host.url]);
  assert.equal(exitCode, 0, stderr);
  const sent = JSON.parse(host.received.at(-1)?.body.toString() ?? "");
  assert.deepEqual(sent, {
    timeoutMs: 600,
    queue: 0,
    env: { A: "", C: "three" },
    allowedHosts: ["a.example", "*.b.example:80"],
  });
  const cleared = await cli(["config", "hello", "allowedHosts=", "--url", host.url]);
  assert.equal(cleared.exitCode, 0, cleared.stderr);
  assert.deepEqual(host.configs.get("hello")?.allowedHosts, []);
});

test("config leaves ranges to the host, whose refusal is shown", async () => {
  await using host = await startFakeHost();
  const { exitCode, stderr } = await cli(["config", "hello", "timeoutMs=0", "--url", host.url]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^invalid_config: .*timeoutMs/);
});

test("rollback makes a version live; an unknown one is the host's 404", async () => {
  await using host = await startFakeHost();
  await seed(host);
  const done = await cli(["rollback", "hello", "v1", "--url", host.url]);
  assert.equal(done.exitCode, 0);
  assert.equal(done.stdout, "hello v1 is live\n");
  assert.equal(host.functions.get("hello")?.live, 1);
  assert.deepEqual(JSON.parse(host.received.at(-1)?.body.toString() ?? ""), { version: 1 });
  const json = await cli(["rollback", "hello", "2", "--json", "--url", host.url]);
  assert.equal(JSON.parse(json.stdout).version, 2);
  const unknown = await cli(["rollback", "hello", "9", "--url", host.url]);
  assert.equal(unknown.exitCode, 1);
  assert.equal(unknown.stderr, 'function_not_found: Function "hello" has no version 9\n');
});

test("remove deletes and says so; a second time it fails", async () => {
  await using host = await startFakeHost();
  await seed(host);
  const done = await cli(["remove", "hello", "--url", host.url]);
  assert.equal(done.exitCode, 0);
  assert.equal(done.stdout, "Removed hello\n");
  assert.equal(host.functions.size, 0);
  const again = await cli(["remove", "hello", "--json", "--url", host.url]);
  assert.equal(again.exitCode, 1);
  assert.equal(JSON.parse(again.stderr).code, "function_not_found");
});

test("the token goes with control-plane calls, by flag or variable", async () => {
  await using host = await startFakeHost();
  host.token = "s3cret";
  const without = await cli(["list", "--url", host.url]);
  assert.equal(without.exitCode, 1);
  assert.equal(without.stderr, "unauthorized: Send the host's token\n");
  const byVariable = await cli(["list"], { env: { MAYFLY_URL: host.url, MAYFLY_TOKEN: "s3cret" } });
  assert.equal(byVariable.exitCode, 0, byVariable.stderr);
  const byFlag = await cli(["--token", "s3cret", "--url", host.url, "list"], {
    env: { MAYFLY_TOKEN: "old" },
  });
  assert.equal(byFlag.exitCode, 0, byFlag.stderr);
});

test("a host that cannot be reached is named with the way out", async () => {
  const host = await startFakeHost();
  await host[Symbol.asyncDispose]();
  const text = await cli(["list", "--url", host.url]);
  assert.equal(text.exitCode, 1);
  assert.match(
    text.stderr,
    /^Cannot reach the host at http:\/\/127\.0\.0\.1:\d+: .*; start one with "mayfly serve"\n$/,
  );
  const json = await cli(["list", "--url", host.url, "--json"]);
  assert.equal(JSON.parse(json.stderr).code, "host_unreachable");
});

test("a server that is no Mayfly host is told apart, and its text stays off the terminal", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) =>
    response.writeHead(404, { "content-type": "text/html" }).end("<h1>\u001b[2J");
  const page = await cli(["list", "--url", host.url]);
  assert.equal(page.exitCode, 1);
  assert.match(
    page.stderr,
    /^The server at .* answered 404 Not Found, and not as a Mayfly host does; check --url/,
  );
  host.answer = (_request, response) => response.end('{"something":"else"}');
  const other = await cli(["list", "--url", host.url]);
  assert.equal(other.exitCode, 1);
  assert.match(other.stderr, /not as a Mayfly host does/);
  host.answer = (_request, response) => problem(response, 500, "internal", "bad \u001b[31m\nthing");
  const control = await cli(["list", "--url", host.url]);
  assert.equal(control.stderr, "internal: bad \\x1b[31m\n    thing\n");
  host.answer = (_request, response) => response.destroy();
  const cut = await cli(["list", "--url", host.url]);
  assert.equal(cut.exitCode, 1);
  assert.match(cut.stderr, /^The host at .* closed the connection/);
});

test("colours appear on a terminal only, and not under NO_COLOR", async () => {
  await using host = await startFakeHost();
  await seed(host);
  const sequence = "\u001b";
  const argv = ["list", "--url", host.url];
  const coloured = await cli(argv, { terminal: true });
  assert.ok(coloured.stdout.includes(sequence));
  const plain = await cli(argv, { terminal: true, env: { NO_COLOR: "1" } });
  assert.ok(!plain.stdout.includes(sequence));
  assert.ok(!(await cli(argv)).stdout.includes(sequence));
});
