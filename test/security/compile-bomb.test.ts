// A14 (H13): optimising a function near the size limit must not go on burning CPU when its call has
// been ended. The host is a process of its own, so that its CPU time is its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SupervisedHost, until } from "../flow/supervised-host.ts";
import { assemble } from "../support/guests.ts";

test("A14: the host is idle soon after a call with a huge hot function was ended", async (context) => {
  if (process.platform !== "linux") return context.skip("reads CPU time from /proc, which is Linux's");
  const step =
    "(local.set 0 (i32.mul (i32.add (local.get 0) (local.get 1)) (i32.xor (local.get 1) (i32.const 77))))";
  const bytes = assemble(`(module (memory (export "memory") 1)
    (func $hot (param i32 i32) (result i32) (loop ${step.repeat(14_000)}) (local.get 0))
    (func (export "mayfly_handle") (param i32) (loop (drop (call $hot (i32.const 1) (i32.const 2))) (br 0))))`);
  await using host = await SupervisedHost.start();
  const deployed = await host.deploy("bomb", bytes);
  assert.equal(deployed.status, 201, await deployed.text());
  assert.equal((await fetch(`${host.url}/fn/bomb`)).status, 504);
  await until(
    async () => {
      const before = cpuTicks(host.hostPid);
      await new Promise((resolve) => setTimeout(resolve, 500));
      // A tick is 10 ms: less than a tenth of one core.
      return cpuTicks(host.hostPid) - before <= 5;
    },
    20_000,
    () => host.output,
  );
});

/** User and system time of a process in clock ticks (proc(5), fields 14 and 15 of stat). */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
