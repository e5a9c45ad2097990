// `mayfly secret` against a host.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { after, before, test } from "node:test";
import { readSecret } from "../../host/cli/secret-input.ts";
import { answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("shop", answering("ok"));
});
after(() => host.close());

const secret = (argv: readonly string[], stdin = "") =>
  cli(["secret", ...argv, "--url", host.host.url], { stdin });

test("a secret is set from standard input, listed without its value, and removed", async () => {
  assert.equal((await secret(["set", "shop", "KEY"], "hunter2\n")).stdout, "Set KEY of shop\n");
  assert.equal((await secret(["set", "shop", "KEY"], "hunter3\r\n")).stdout, "Replaced KEY of shop\n");
  const listed = await secret(["list", "shop"]);
  assert.match(listed.stdout, /^SECRET +CREATED +UPDATED\nKEY +20\d\d-/);
  assert.doesNotMatch(listed.stdout, /hunter/);
  assert.equal((await secret(["remove", "shop", "KEY"])).stdout, "Removed KEY of shop\n");
  assert.match((await secret(["remove", "shop", "KEY"])).stderr, /secret_not_found/);
});

test("a value is no argument, and nothing is no value", async () => {
  const given = await secret(["set", "shop", "KEY", "hunter2"]);
  assert.equal(given.exitCode, 2);
  assert.doesNotMatch(given.stderr, /hunter2/);
  assert.equal((await secret(["set", "shop", "KEY"], "\n")).exitCode, 2);
  assert.equal((await secret(["set", "shop", "NO-NAME"], "x")).exitCode, 1);
});

test("on a terminal it is asked for, and nothing of what is typed is shown", async () => {
  const typed = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => typed });
  const shown = Object.assign(new PassThrough(), { isTTY: true });
  let text = "";
  shown.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  const io = {
    stdin: typed,
    stdout: shown,
    stderr: shown,
    env: {},
    cwd: ".",
    interruption: () => new AbortController().signal,
  };
  const read = readSecret(io, "Value of KEY: ");
  // A slip of the finger, taken back.
  typed.write("hunter3\x7f2\r");
  assert.equal(Buffer.from(await read).toString(), "hunter2");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(text, "Value of KEY: \n");
  const given = readSecret(io, "Value of KEY: ");
  typed.write("hun\x03");
  await assert.rejects(given, /No secret was typed/);
});
