// `mayfly trigger`, `mayfly publish` and `mayfly events` against a host.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { answering, guest } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("traps", guest("unreachable"));
await host.deploy("listens", answering("ok"));

const mayfly = (argv: readonly string[], stdin = "") => cli([...argv, "--url", host.host.url], { stdin });

test("a trigger is added, listed and removed", async () => {
  const added = await mayfly([
    "trigger",
    "add",
    "listens",
    "nightly",
    "cron=30 2 * * *",
    "timeZone=Europe/Zurich",
  ]);
  assert.equal(added.stdout, "Added nightly of listens\n");
  const again = await mayfly(["trigger", "add", "listens", "nightly", "cron=30 3 * * *", "paused=true"]);
  assert.equal(again.stdout, "Replaced nightly of listens\n");
  const { stdout } = await mayfly(["trigger", "list", "listens"]);
  assert.match(stdout, /^TRIGGER +KIND +LISTENS TO\nnightly +schedule +30 3 \* \* \* +paused\n$/);
  assert.equal(
    (await mayfly(["trigger", "remove", "listens", "nightly"])).stdout,
    "Removed nightly of listens\n",
  );
  assert.equal((await mayfly(["trigger", "remove", "listens", "nightly"])).exitCode, 1);
  assert.equal((await mayfly(["trigger", "add", "listens", "t", "ordered=true"])).exitCode, 2);
  const wrong = await mayfly(["trigger", "add", "listens", "t", "cron=never"]);
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.stderr, /invalid_trigger: Cannot read the cron expression "never"/);
});

test("a trigger of a database has its URL from a file or standard input, and the command says why it cannot be had", async () => {
  const add = ["trigger", "add", "listens", "rows", "tables=public.a,public.b"];
  const piped = await mayfly([...add, "postgres=@-"], "postgres://hunter2:hunter2@127.0.0.1:9/shop\n");
  assert.equal(piped.exitCode, 1);
  assert.match(piped.stderr, /database_unreachable: Cannot reach the database 127\.0\.0\.1:9\/shop/);
  assert.doesNotMatch(piped.stderr + piped.stdout, /hunter2/);
  assert.equal((await mayfly([...add, "postgres=@absent-file"])).exitCode, 1);
  const none = await mayfly(["trigger", "add", "listens", "rows", "postgres=postgres://u:p@127.0.0.1:9/d"]);
  assert.match(none.stderr, /invalid_trigger: .*tables/s);
});

test("an event is published, and what became of it is listed, shown, redriven and dropped", async () => {
  await mayfly(["trigger", "add", "traps", "t", "topic=orders", "attemptsMax=1"]);
  const sent = await mayfly(["publish", "orders", "-d", "{}", "--type", "placed", "--id", "ü 1"]);
  assert.equal(sent.stdout, "Published ü 1 for 1 function\n");
  const state = async (): Promise<string> => (await mayfly(["events", "list", "--state", "dead"])).stdout;
  const until = Date.now() + 10_000;
  while (!/dead/.test(await state()) && Date.now() < until);
  const [, id = ""] = /^(\d+) +dead +1 +traps\/t +placed +\S/m.exec(await state()) ?? [];
  const shown = (await mayfly(["events", "show", id])).stdout;
  assert.match(shown, /: dead, 1 attempts, for traps\/t\n[\s\S]*\nid: ü 1\n[\s\S]*\nguest_trapped: /);
  assert.equal(
    (await mayfly(["events", "redrive", "--function", "traps"])).stdout,
    "1 to be delivered anew\n",
  );
  while (!/dead/.test(await state()) && Date.now() < until);
  assert.equal((await mayfly(["events", "drop", id])).stdout, `Dropped ${id}\n`);
  assert.doesNotMatch(await state(), /dead/);
  assert.equal((await mayfly(["events", "redrive"])).exitCode, 2);
  assert.equal((await mayfly(["events", "show", "x"])).exitCode, 2);
});
