// The pre-step of the npm scripts: when it installs, and that a failed install stops it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const scripts = join(import.meta.dirname, "../../scripts");

/** A checkout with the pre-step alone, and an npm that notes how it was called. */
function checkout(npmExitCode = 0) {
  const folder = mkdtempSync(join(tmpdir(), "mayfly-run-"));
  mkdirSync(join(folder, "scripts"));
  for (const file of ["run.js", "pinned-node.js"]) cpSync(join(scripts, file), join(folder, "scripts", file));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "package-lock.json"), "{}");
  mkdirSync(join(folder, "bench", "peers"), { recursive: true });
  writeFileSync(join(folder, "bench", "peers", "package-lock.json"), "{}");
  const npm = join(folder, "npm.cjs");
  writeFileSync(
    npm,
    `const fs = require("node:fs");
     fs.writeFileSync("called", process.argv.slice(2).join(" "));
     fs.mkdirSync("node_modules", { recursive: true });
     fs.writeFileSync("node_modules/.package-lock.json", "{}");
     process.exit(${npmExitCode});`,
  );
  return {
    marker: join(folder, "node_modules", ".package-lock.json"),
    installed: (where = "") => existsSync(join(folder, where, "called")),
    // A step that does not exist ends it right after the install.
    run: (step = "nothing") =>
      spawnSync(process.execPath, [join(folder, "scripts", "run.js"), step], {
        env: { ...process.env, npm_execpath: npm },
        encoding: "utf8",
      }),
    placeMarker(ageS: number): void {
      mkdirSync(join(folder, "node_modules"));
      writeFileSync(this.marker, "{}");
      const at = Date.now() / 1000 - ageS;
      utimesSync(this.marker, at, at);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test("the pre-step installs when node_modules is missing", () => {
  using folder = checkout();
  assert.equal(folder.run().status, 2);
  assert.ok(folder.installed());
  assert.ok(existsSync(folder.marker));
});

test("the pre-step installs when node_modules is older than the lock file", () => {
  using folder = checkout();
  folder.placeMarker(3_600);
  assert.equal(folder.run().status, 2);
  assert.ok(folder.installed());
});

test("the pre-step leaves node_modules alone when it is newer than the lock file", () => {
  using folder = checkout();
  folder.placeMarker(-3_600);
  const { status, stderr } = folder.run();
  assert.equal(status, 2);
  assert.match(stderr, /Unknown step "nothing", want start, test/);
  assert.equal(folder.installed(), false);
});

test("a failed install ends the pre-step with a sentence", () => {
  using folder = checkout(1);
  const { status, stderr } = folder.run();
  assert.equal(status, 1);
  assert.match(stderr, /The install failed/);
});

test("only the comparison with peers installs their packages, and a failed install does not end it", () => {
  using folder = checkout(1);
  folder.placeMarker(-3_600);
  folder.run();
  assert.equal(folder.installed("bench/peers"), false);
  // What it would run next is not in this checkout: that it fails there shows that it went on.
  const { stderr } = folder.run("bench:peers");
  assert.ok(folder.installed("bench/peers"));
  assert.equal(folder.installed(), false);
  assert.match(stderr, /The install failed[\s\S]*Node/);
});
