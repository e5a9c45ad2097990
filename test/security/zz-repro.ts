import { echo, order, puppet, guest, answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";
const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
await host.deploy("echo", echo());
await host.deploy("good", answering("x"));
// about 20 ms of work, so that it counts as stalled and then ends by itself
await host.deploy("busy", guest(`(local $i i32) (loop (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if 0 (i32.lt_u (local.get $i) (i32.const ${process.env["N"] ?? 20000000})))) unreachable`));
for (const n of ["echo", "busy", "good"]) await host.configure(n, { timeoutMs: 4000, cpuMs: 5000 });
let bad = 0, round = 0;
for (; round < 200 && bad === 0; round++) {
  await Promise.all(Array.from({ length: 20 }, async (_, b) => {
    const a = await host.call(b % 5 === 1 ? "busy" : "good", { body: "" });
    if (a.status === 504) bad++;
  }));
}
console.log("round", round, "bad", bad);
for (let i = 0; i < 2; i++) console.log((await host.call("good")).status);
await host.close({ expectFaults: true });
