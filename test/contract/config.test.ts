// The configuration of a function: defaults, ranges, and that PUT replaces the whole or nothing.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const defaults = {
  timeoutMs: 30_000,
  cpuMs: 1_000,
  memoryMb: 128,
  concurrency: 100,
  queue: 1_000,
  isolation: "fresh",
  env: {},
  allowedHosts: [],
  access: "public",
  ratePerSecond: 0,
  rateBurst: 0,
  envSecrets: [],
  args: [],
  asyncAttemptsMax: 3,
  asyncConcurrency: 10,
  asyncKeepMs: 86_400_000,
  onSuccess: "",
  onFailure: "",
};
const path = (name: string): string => `/v1/functions/${name}/config`;
const effective = async (name: string): Promise<unknown> => (await host.ask("GET", path(name))).json();

test("a function that was never configured shows the defaults, which are a valid PUT body", async () => {
  assert.deepEqual(await effective("never"), defaults);
  const answer = await host.send("PUT", path("never"), await effective("never"));
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), defaults);
});

test("a PUT replaces the whole: what it leaves out has its default again", async () => {
  await host.configure("whole", { cpuMs: 5, env: { A: "1" } });
  await host.configure("whole", { queue: 7 });
  assert.deepEqual(await effective("whole"), { ...defaults, queue: 7 });
});

test("a configuration may come before the first version and holds for it", async () => {
  await host.configure("early", { memoryMb: 1, env: { A: "1" } });
  assertProblem(await host.ask("GET", "/v1/functions/early"), 404, "function_not_found");
  assertProblem(await host.call("early"), 404, "function_not_found");
  await host.deploy("early", answering("here"));
  assert.deepEqual(await effective("early"), { ...defaults, memoryMb: 1, env: { A: "1" } });
  assert.equal((await host.call("early")).text, "here");
});

const ranges: readonly (readonly [string, number, number])[] = [
  ["timeoutMs", 1, 900_000],
  ["cpuMs", 1, 900_000],
  ["memoryMb", 1, 4_096],
  ["concurrency", 1, 100_000],
  ["queue", 0, 100_000],
];
for (const [field, min, max] of ranges) {
  test(`${field} is taken from ${min} to ${max}, and not one beyond`, async () => {
    for (const value of [min, min + 1, max - 1, max]) {
      await host.configure("ranges", { [field]: value });
      assert.deepEqual(await effective("ranges"), { ...defaults, [field]: value });
    }
    for (const value of [min - 1, max + 1, -1, -2147483648, 1.5, "1", null, true, [1], 1e308]) {
      if (value === min) continue;
      assertProblem(await host.send("PUT", path("ranges"), { [field]: value }), 400, "invalid_config");
    }
    assert.deepEqual(await effective("ranges"), { ...defaults, [field]: max });
  });
}

const hostile: readonly (readonly [string, string])[] = [
  ["an unknown field", '{"cpums":5}'],
  ["a field named __proto__", '{"__proto__":{"cpuMs":5}}'],
  ["a field named constructor", '{"constructor":{"prototype":{"cpuMs":5}}}'],
  ["a number beyond all", '{"cpuMs":1e400}'],
  ["an unknown isolation", '{"isolation":"none"}'],
  ["a variable whose name is no name", '{"env":{"A B":"1"}}'],
  ["a variable named __proto__ with an object", '{"env":{"__proto__":{"a":"b"}}}'],
  ["a variable named __proto__", '{"env":{"__proto__":"a"}}'],
  ["a variable that is no text", '{"env":{"A":1}}'],
  ["a host with a path", '{"allowedHosts":["example.org/x"]}'],
  ["an array", "[]"],
  ["null", "null"],
  ["no JSON", "{"],
  ["nothing", ""],
  ["a hundred thousand brackets", "[".repeat(100_000)],
  ["deep but closed brackets", `${"[".repeat(50_000)}${"]".repeat(50_000)}`],
];
for (const [what, body] of hostile) {
  test(`${what} is refused and changes nothing`, async () => {
    await host.configure("hostile", { cpuMs: 77 });
    assertProblem(await host.ask("PUT", path("hostile"), { body }), 400, "invalid_config");
    assert.deepEqual(await effective("hostile"), { ...defaults, cpuMs: 77 });
    assert.equal(({} as Record<string, unknown>)["cpuMs"], undefined);
  });
}

test("bytes that are not UTF-8 are refused", async () => {
  const body = Buffer.from('{"env":{"A":"\xff"}}', "latin1");
  assertProblem(await host.ask("PUT", path("hostile"), { body }), 400, "invalid_config");
});

test("every fault is reported at once", async () => {
  const answer = await host.send("PUT", path("faults"), { cpuMs: 0, queue: -1, other: 1 });
  assertProblem(answer, 400, "invalid_config");
  const { faults } = answer.json() as { faults: { path: string }[] };
  assert.deepEqual(new Set(faults.map((fault) => fault.path)), new Set(["cpuMs", "queue", ""]));
});

test("variables are bounded in number and bytes", async () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`V${at}`, ""]));
  await host.configure("vars", { env: many(256) });
  assertProblem(await host.send("PUT", path("vars"), { env: many(257) }), 400, "invalid_config");
  await host.configure("vars", { env: { A: "x".repeat(65_535) } });
  assertProblem(
    await host.send("PUT", path("vars"), { env: { A: "x".repeat(65_536) } }),
    400,
    "invalid_config",
  );
});

test("a body over its bound is body_too_large", async () => {
  assertProblem(await host.ask("PUT", path("big"), { body: " ".repeat(262_145) }), 413, "body_too_large");
  assertProblem(await host.ask("PUT", path("big"), { body: " ".repeat(262_144) }), 400, "invalid_config");
});
