// The promise: where PostgreSQL is not installed the tests that need it say so, with the package that has it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const file = join(import.meta.dirname, "../flow/postgres.test.ts");

test("tests that need PostgreSQL are skipped without it, and say which package has it", async () => {
  const env: NodeJS.ProcessEnv = { ...process.env, MAYFLY_TEST_POSTGRES: "/nowhere/*/bin" };
  // A runner within this one's would speak its language.
  delete env["NODE_TEST_CONTEXT"];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv.filter((flag) => flag.startsWith("--wasm")), "--test-reporter=tap", file],
    { env },
  );
  const skipped = stdout.match(/# SKIP PostgreSQL is not installed: apt-get install postgresql/g) ?? [];
  const tests = stdout.match(/^(not )?ok /gm) ?? [];
  assert.ok(tests.length > 0, stdout);
  assert.equal(skipped.length, tests.length, stdout);
});
