// Short calls run on the main thread: by what it gets nobody can tell, whatever a guest does.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { type Act, actNumber, echo, order, puppet } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

/** Threads are there for calls that need one, and none is kept. */
const host = await TestHost.start({ minWorkers: 0 });
const reference = await TestHost.start({ minWorkers: 0, threadsOnly: true });
after(async () => {
  await host.close();
  await reference.close();
});

async function inlineCalls(of: TestHost): Promise<number> {
  const page = (await of.ask("GET", "/metrics")).text;
  return Number(/^mayfly_inline_calls_total (\d+)$/m.exec(page)?.[1]);
}

const both = [host, reference];
const acts: readonly (readonly [act: Act, a?: number, b?: number])[] = [
  ["log", 4096, 20],
  ["log", 4096, -1],
  ["log", -1, 9],
  ["env_get", 0, 5],
  ["result_read", 0],
  ["response_write", 0, 14],
  ["response_write", 0, 13],
  ["response_write", -1, 9],
  ["response_write", 0, 900_000_000],
  ["request_read", -1],
  ["random", 4096, 65_536],
  ["random", 4096, 65_537],
  ["abort", 0, 0],
  ["trap"],
  ["write_twice"],
  ["nothing"],
  ["throw"],
  ["recurse"],
  ["grow", 1],
  ["grow", 100_000],
  ["grow_and_trap", 1],
  ["grow_and_trap", 100_000],
  ["loop"],
  ["fill_for_ever", 100_000],
  ["copy_for_ever", 100_000],
  ["random_fills"],
  ["log_storm", 4096, 16],
  ["swallow", actNumber("write_twice")],
  ["swallow", actNumber("random"), -1],
  ["swallow", actNumber("trap")],
  ["swallow", actNumber("loop")],
  ["swallow", actNumber("grow"), 1],
];

/** What a caller sees; a refusal without what differs between two calls. */
function seen(answer: Answer): unknown {
  if (answer.status === 200) return [200, answer.text];
  const { requestId: _id, ...problem } = answer.json() as Record<string, unknown>;
  return [answer.status, problem];
}

test("whatever a guest does, its caller and its log get what they get from a thread", {
  timeout: 120_000,
}, async () => {
  for (const each of both) {
    await each.configure("puppet", { cpuMs: 20 });
    await each.deploy("puppet", puppet());
    // Ended by the number of its host calls, not by how fast the machine is.
    await each.configure("storm", { cpuMs: 20_000 });
    await each.deploy("storm", puppet());
  }
  const short = async (each: TestHost): Promise<void> => {
    for (let count = 0; count < 8; count += 1) {
      assert.equal((await each.call("puppet", { body: order("log", 4096, 4) })).text, "ok");
    }
  };
  for (const [act, a = 0, b = 0] of acts) {
    const [inline, thread] = await Promise.all(
      both.map(async (each) => {
        await short(each);
        const name = act === "log_storm" ? "storm" : "puppet";
        return seen(await each.call(name, { body: order(act, a, b) }));
      }),
    );
    assert.deepEqual(inline, thread, `${act} ${a} ${b}`);
  }
  const [lines, wanted] = await Promise.all(
    both.map(async (each) => {
      const logged = [...(await each.logs("puppet")), ...(await each.logs("storm"))];
      // Node numbers the functions that a trap names, and words differ with where the guest was stopped.
      return logged.map(({ level, message, version }) => [level, version, message.split("\n")[0]]);
    }),
  );
  assert.deepEqual(lines, wanted);
  assert.equal(await inlineCalls(reference), 0);
  const calls = await inlineCalls(host);
  assert.ok(calls > 0 && calls < acts.length * 9, `${calls} calls ran on the main thread`);
});

test("many at once: each gets its own answer, short or long, in whichever way it ran", async () => {
  await host.deploy("echo", echo());
  const bodies = Array.from({ length: 400 }, (_, index) => `${index}:`.repeat((index % 40) * 20));
  const answers = await Promise.all(bodies.map((body) => host.call("echo", { body })));
  assert.deepEqual(
    answers.map(({ text }) => text),
    bodies,
  );
});

test("bounds hold for calls that would take no time: concurrency, and the host's drain", async () => {
  await host.deploy("bounded", puppet());
  await host.configure("bounded", { concurrency: 1, queue: 0, cpuMs: 300 });
  const long = host.call("bounded", { body: order("loop") });
  let refused: Answer;
  do refused = await host.call("bounded", { body: order("now") });
  while (refused.status === 200);
  assertProblem(refused, 429, "concurrency_limited");
  assertProblem(await long, 504, "cpu_exceeded");
  assert.equal((await host.call("bounded", { body: order("now") })).status, 200);
});
