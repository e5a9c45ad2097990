// `mayfly invoke --async` and `mayfly invocations` against a host.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";
import { cli } from "./run-cli.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("later", await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts")));
await host.configure("later", { asyncAttemptsMax: 1 });

const run = (...argv: string[]) => cli([...argv, "--url", host.host.url]);

test("a call is left with the host, waited for, listed and removed", async () => {
  const asked = await run("invoke", "later", "/x", "-d", "hello", "--async");
  assert.equal(asked.exitCode, 0, asked.stderr);
  const id = asked.stdout.trim();
  assert.match(id, /^[0-9a-f-]{36}$/);
  const shown = await run("invocations", "show", id, "--wait", "20");
  assert.match(shown.stdout, /^POST\|http:.*\|none\|1\|hello$/);
  assert.match((await run("invocations", "list", "later")).stdout, new RegExp(`${id} +later +succeeded +1`));
  assert.equal((await run("invocations", "list", "--state", "failed")).stdout.includes(id), false);
  assert.equal((await run("invocations", "remove", id)).exitCode, 0);
  const gone = await run("invocations", "show", id);
  assert.deepEqual([gone.exitCode, gone.stdout], [1, ""]);
  assert.match(gone.stderr, /invocation_not_found/);
});

test("a call that failed is told with its reason", async () => {
  const asked = await run("invoke", "later", "/fails", "--async", "--json");
  const { id } = JSON.parse(asked.stdout) as { id: string };
  const shown = await run("invocations", "show", id, "--wait", "20");
  assert.equal(shown.exitCode, 1);
  assert.match(shown.stdout, /warn attempt 1/);
  assert.match(shown.stderr, /It failed after 1 attempts: .*503: not today/);
  assert.equal((await run("invoke", "absent", "--async")).exitCode, 1);
  assert.equal((await run("invocations", "show", id, "--wait", "soon")).exitCode, 2);
});
