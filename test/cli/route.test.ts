// Holds `mayfly route` to docs/cli.md, on a host.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
after(() => host.close());

async function done(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cli([...words, "--url", host.host.url]);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

test("routes are added, replaced, listed and removed", async () => {
  await host.deploy("site", answering("one"));
  assert.equal(await done("route", "add", "a", "/a/:id", "site"), "Added a: /a/:id\n");
  const options = ["--cache", "--cors", "https://app.example", "--pin", "1"];
  assert.equal(await done("route", "add", "a", "/a/:id", "site", ...options), "Replaced a: /a/:id\n");
  await done("route", "add", "b", "b.example/*", "--redirect", "/new", "--status", "302");
  await done("route", "add", "c", "/c", "--respond", "text", "-H", "content-type: text/plain");
  assert.deepEqual((await done("route", "list")).split("\n"), [
    "ROUTE  PATTERN      TO",
    "a      /a/:id       site@1             cached, cors",
    "b      b.example/*  302 /new",
    "c      /c           a response of 200",
    "",
  ]);
  assert.equal((await host.ask("GET", "/a/1")).text, "one");
  const fixed = await host.ask("GET", "/c");
  assert.deepEqual([fixed.text, fixed.header("content-type")], ["text", "text/plain"]);
  assert.equal(await done("route", "remove", "a"), "Removed a\n");
  assert.equal((await host.ask("GET", "/a/1")).status, 404);
  const { exitCode, stderr } = await cli(["route", "add", "d", "/v1/x", "site", "--url", host.host.url]);
  assert.equal(exitCode, 1);
  assert.match(stderr, /^route_reserved: /);
});
