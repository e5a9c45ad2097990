// The unit of systemd, judged by systemd itself where it is installed.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";

const unit = readFileSync(join(import.meta.dirname, "../../deploy/systemd/mayfly.service"), "utf8");
const value = (name: string): string => new RegExp(`^${name}=(.*)$`, "m").exec(unit)?.[1] ?? "";

test("systemd finds nothing wrong with the unit", (context) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
    context.skip("systemd-analyze is not installed");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "mayfly-unit-"));
  try {
    const file = join(folder, "mayfly.service");
    // It looks for the program, too.
    writeFileSync(file, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    const checked = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
    assert.equal(checked.stderr + checked.stdout, "");
    assert.equal(checked.status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("systemd knows every setting, and every system call that is named", (context) => {
  const listed = spawnSync("systemd-analyze", ["syscall-filter", "@known"], { encoding: "utf8" });
  if (listed.status !== 0) {
    context.skip("systemd-analyze is not installed");
    return;
  }
  const known = new Set(listed.stdout.split(/\s+/));
  for (const name of value("SystemCallFilter")
    .split(" ")
    .filter((each) => !each.startsWith("@"))) {
    assert.ok(known.has(name), name);
  }
  const groups = execFileSync("systemd-analyze", ["syscall-filter"], { encoding: "utf8" });
  for (const [group] of unit.matchAll(/@[a-z-]+(?= |$)/gm)) assert.ok(groups.includes(`${group}\n`), group);
});

test("the unit leaves the host its time to drain, and V8 its memory to compile into", () => {
  // The supervisor waits five seconds more than a drain takes before it kills.
  assert.ok(Number(value("TimeoutStopSec")) * 1_000 > limits.drainTimeoutMs + 5_000);
  assert.equal(value("KillMode"), "mixed");
  assert.equal(value("KillSignal"), "SIGTERM");
  assert.equal(value("MemoryDenyWriteExecute"), "");
  assert.equal(value("RestartPreventExitStatus"), "2");
});
