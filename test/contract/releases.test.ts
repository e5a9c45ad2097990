// Which versions run: aliases, pins, splits, the way back, and a canary that the host takes back.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { until } from "../flow/supervised-host.ts";
import { answering } from "../support/guests.ts";
import type { Ask } from "../support/http-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

/** A function whose versions answer "v1", "v2" and so on; the last one is live. */
async function deployed(name: string, versions: number): Promise<void> {
  for (let version = 1; version <= versions; version += 1) await host.deploy(name, answering(`v${version}`));
}

const setAlias = (name: string, alias: string, value: unknown) =>
  host.send("PUT", `/v1/functions/${name}/aliases/${alias}`, value);
const alias = async (name: string, id = "live"): Promise<Record<string, unknown>> =>
  (await host.ask("GET", `/v1/functions/${name}/aliases/${id}`)).json() as Record<string, unknown>;
const called = async (target: string, rest: Ask = {}): Promise<string> =>
  (await host.ask("GET", `/fn/${target}`, rest)).text;
const split = (stable: number, canary: number, percent: number, further: object = {}) => ({
  versions: [
    { version: stable, percent: 100 - percent },
    { version: canary, percent },
  ],
  ...further,
});

test("live is there from the first version on, and leads to what was deployed last", async () => {
  await deployed("fresh", 2);
  const { changedAt, ...shown } = await alias("fresh");
  assert.match(String(changedAt), /^\d{4}-/);
  assert.deepEqual(shown, {
    function: "fresh",
    alias: "live",
    versions: [{ version: 2, percent: 100 }],
    sticky: null,
    guard: null,
    takenBack: null,
    versionBefore: 1,
    url: `${host.host.url}/fn/fresh`,
  });
});

test("an alias is called by its name in the path or in a header, as a version is by its number", async () => {
  await deployed("pinned", 2);
  const created = await setAlias("pinned", "old", { version: 1 });
  assert.equal(created.status, 201);
  assert.equal((await setAlias("pinned", "old", { version: 1 })).status, 200);
  assert.equal(await called("pinned@old/x"), "v1");
  assert.equal(await called("pinned@1"), "v1");
  assert.equal(await called("pinned"), "v2");
  assert.equal(await called("pinned", { headers: { "x-mayfly-version": "1" } }), "v1");
  assert.equal(await called("pinned", { headers: { "x-mayfly-version": "old" } }), "v1");
  // The path is what was asked for.
  assert.equal(await called("pinned@2", { headers: { "x-mayfly-version": "old" } }), "v2");
  const answer = await host.ask("GET", "/fn/pinned@old");
  assert.equal(answer.header("x-mayfly-version"), "1");
  for (const pin of ["3", "none", "0", "01", "", "live@old", "%31"]) {
    assertProblem(await host.ask("GET", `/fn/pinned@${pin}`), 404, "function_not_found");
  }
  for (const pin of ["3", "none", "constructor", "1, 2"]) {
    const headers = { "x-mayfly-version": pin };
    assertProblem(await host.ask("GET", "/fn/pinned", { headers }), 404, "function_not_found");
  }
  assert.equal((await host.ask("DELETE", "/v1/functions/pinned/aliases/old")).status, 204);
  assertProblem(await host.ask("GET", "/fn/pinned@old"), 404, "function_not_found");
});

test("a version that is kept back is not live, and can be called by its number", async () => {
  await deployed("kept", 1);
  const upload = (bytes: Uint8Array) =>
    host.ask("PUT", "/v1/functions/kept?live=false", {
      body: bytes,
      headers: { "content-type": "application/wasm" },
    });
  const answer = await upload(answering("v2"));
  assert.equal(`${answer.status} ${(answer.json() as { version: number }).version}`, "201 2");
  assert.equal(await called("kept"), "v1");
  assert.equal(await called("kept@2"), "v2");
  assert.equal((await upload(answering("v2"))).status, 200);
  assert.equal(await called("kept"), "v1");
  const { versions } = (await host.ask("GET", "/v1/functions/kept/versions")).json() as {
    versions: { version: number; live: boolean; aliases: string[] }[];
  };
  assert.deepEqual(
    versions.map(({ version, live, aliases }) => [version, live, aliases]),
    [
      [2, false, []],
      [1, true, ["live"]],
    ],
  );
});

test("the first version of a function cannot be kept back, and nothing of it is kept", async () => {
  const answer = await host.ask("PUT", "/v1/functions/held?live=false", { body: answering("v1") });
  assertProblem(answer, 409, "no_live_version");
  assertProblem(await host.ask("GET", "/v1/functions/held"), 404, "function_not_found");
  assertProblem(await host.ask("PUT", "/v1/functions/held?live=no", { body: "" }), 400, "bad_request");
});

test("a split gives each version its share, at random", async () => {
  await deployed("split", 2);
  assert.equal((await setAlias("split", "live", split(1, 2, 50))).status, 200);
  const answers = await Promise.all(Array.from({ length: 200 }, () => called("split")));
  const canary = answers.filter((text) => text === "v2").length;
  // Of a fair coin further off once in 10^12.
  assert.ok(canary > 50 && canary < 150, `${canary} of 200`);
  const shown = (await host.ask("GET", "/v1/functions/split")).json() as { version: number; canary: unknown };
  assert.deepEqual([shown.version, shown.canary], [1, { version: 2, percent: 50 }]);
});

test("a share of 0 or 100 percent is exact", async () => {
  await deployed("exact", 2);
  for (const [percent, text] of [
    [0, "v1"],
    [100, "v2"],
  ] as const) {
    await setAlias("exact", "live", split(1, 2, percent));
    const answers = await Promise.all(Array.from({ length: 50 }, () => called("exact")));
    assert.deepEqual(new Set(answers), new Set([text]));
  }
});

test("who is sticky gets one version, and keeps it while the canary grows", async () => {
  await deployed("sticky", 2);
  const users = Array.from({ length: 60 }, (_, user) => `user-${user}`);
  const asked = (user: string) => called("sticky", { headers: { cookie: `a=1; session=${user}; b=2` } });
  const canaries = async (percent: number): Promise<string[]> => {
    await setAlias("sticky", "live", split(1, 2, percent, { sticky: { cookie: "session" } }));
    const first = await Promise.all(users.map(asked));
    assert.deepEqual(await Promise.all(users.map(asked)), first);
    return users.filter((_, user) => first[user] === "v2");
  };
  const few = await canaries(20);
  const more = await canaries(60);
  assert.ok(few.length < more.length && more.length < users.length, `${few.length}, ${more.length}`);
  assert.deepEqual(
    few.filter((user) => !more.includes(user)),
    [],
  );
});

test("promote gives the canary all calls, once", async () => {
  await deployed("promoted", 2);
  await setAlias("promoted", "live", split(1, 2, 10));
  const answer = await host.send("POST", "/v1/functions/promoted/promote", {});
  assert.equal(`${answer.status} ${(answer.json() as { version: number }).version}`, "200 2");
  assert.equal(await called("promoted"), "v2");
  assertProblem(await host.send("POST", "/v1/functions/promoted/promote", {}), 409, "no_canary");
  assertProblem(await host.send("POST", "/v1/functions/absent/promote", {}), 404, "function_not_found");
});

test("a rollback without a version ends a canary, then goes to the version before", async () => {
  await deployed("rolled", 3);
  await setAlias("rolled", "live", { version: 1 });
  await setAlias("rolled", "live", split(1, 2, 10));
  const rollback = () => host.send("POST", "/v1/functions/rolled/rollback", {});
  assert.equal((await rollback()).status, 200);
  assert.deepEqual((await alias("rolled"))["versions"], [{ version: 1, percent: 100 }]);
  await rollback();
  assert.deepEqual((await alias("rolled"))["versions"], [{ version: 3, percent: 100 }]);
  await deployed("single", 1);
  assertProblem(await host.send("POST", "/v1/functions/single/rollback", {}), 409, "no_version_before");
});

test("a deploy ends a split: the new version has all calls", async () => {
  await deployed("redeployed", 2);
  await setAlias("redeployed", "live", split(1, 2, 10));
  await host.deploy("redeployed", answering("v3"));
  assert.deepEqual((await alias("redeployed"))["versions"], [{ version: 3, percent: 100 }]);
});

test("a change of an alias may depend on its revision", async () => {
  await deployed("guarded", 2);
  const path = "/v1/functions/guarded/aliases/live";
  const etag = (await host.ask("GET", path)).header("etag") ?? "";
  const put = (value: object) =>
    host.ask("PUT", path, { body: JSON.stringify(value), headers: { "if-match": etag } });
  assert.equal((await put({ version: 1 })).status, 200);
  assertProblem(await put({ version: 2 }), 412, "precondition_failed");
  assert.equal(await called("guarded"), "v1");
});

const bad: readonly (readonly [string, unknown])[] = [
  [
    "weights below 100",
    {
      versions: [
        { version: 1, percent: 50 },
        { version: 2, percent: 49.99 },
      ],
    },
  ],
  [
    "weights above 100",
    {
      versions: [
        { version: 1, percent: 60 },
        { version: 2, percent: 60 },
      ],
    },
  ],
  ["one version at 50", { versions: [{ version: 1, percent: 50 }] }],
  [
    "a negative weight",
    {
      versions: [
        { version: 1, percent: 110 },
        { version: 2, percent: -10 },
      ],
    },
  ],
  [
    "three decimals",
    {
      versions: [
        { version: 1, percent: 99.999 },
        { version: 2, percent: 0.001 },
      ],
    },
  ],
  ["three versions", { versions: [1, 2, 3].map((version) => ({ version, percent: 100 / 3 })) }],
  ["no version", {}],
  ["an empty list", { versions: [] }],
  ["both forms", { version: 1, versions: [{ version: 1, percent: 100 }] }],
  ["a version twice", split(1, 1, 10)],
  ["an alias of itself", { version: "live" }],
  ["an alias of an alias", { versions: [{ version: "canary", percent: 100 }] }],
  ["an unknown member", { version: 1, percent: 100 }],
  ["a sticky that is both", split(1, 2, 10, { sticky: { header: "a", cookie: "b" } })],
  ["a sticky that is no token", split(1, 2, 10, { sticky: { header: "a b" } })],
  ["sticky without a split", { version: 1, sticky: { header: "a" } }],
  ["a guard without a bound", split(1, 2, 10, { guard: { callsMin: 10 } })],
  ["a guard over 100 percent", split(1, 2, 10, { guard: { errorPercentMax: 101 } })],
  ["a window of nothing", split(1, 2, 10, { guard: { p99MsMax: 10, windowMs: 0 } })],
  ["null", null],
  ["a list", []],
];

for (const [what, value] of bad) {
  test(`an alias is not set to ${what}`, async () => {
    await deployed("bad", 3);
    const before = await alias("bad");
    assertProblem(await setAlias("bad", "live", value), 400, "invalid_alias");
    assert.deepEqual(await alias("bad"), before);
  });
}

test("an alias needs a name, a function and versions that are there", async () => {
  await deployed("needs", 1);
  for (const name of ["7", "Live", "a_b", "-a", "a".repeat(64)]) {
    assertProblem(await setAlias("needs", name, { version: 1 }), 400, "invalid_name");
  }
  assertProblem(await setAlias("needs", "next", { version: 2 }), 404, "function_not_found");
  assertProblem(await setAlias("needs", "next", split(1, 2, 10)), 404, "function_not_found");
  assertProblem(await setAlias("absent", "next", { version: 1 }), 404, "function_not_found");
  assertProblem(await host.ask("GET", "/v1/functions/needs/aliases/next"), 404, "alias_not_found");
  assertProblem(await host.ask("DELETE", "/v1/functions/needs/aliases/next"), 404, "alias_not_found");
  assertProblem(await host.ask("DELETE", "/v1/functions/needs/aliases/live"), 400, "invalid_alias");
  assert.equal((await host.ask("PUT", "/v1/functions/needs/aliases/next", { body: "{" })).status, 400);
});

test("a function has so many aliases and no more", async () => {
  await deployed("many", 1);
  for (let count = 1; count < limits.aliasesPerFunctionMax; count += 1) {
    assert.equal((await setAlias("many", `a-${count}`, { version: 1 })).status, 201);
  }
  assertProblem(await setAlias("many", "more", { version: 1 }), 400, "invalid_alias");
  assert.equal((await setAlias("many", "a-1", { version: 1 })).status, 200);
});

test("a canary that fails too often is taken back, an event says so, and live goes on", async () => {
  await host.deploy("watched", answering("v1"));
  await host.deploy("watched", answering("broken", 500));
  await host.deploy("listener", answering("heard"));
  const trigger = { kind: "topic", topic: "mayfly-releases", paused: true };
  assert.equal((await host.send("PUT", "/v1/functions/listener/triggers/t", trigger)).status, 201);
  const guard = { errorPercentMax: 10, callsMin: 20, windowMs: 60_000 };
  await setAlias("watched", "live", split(1, 2, 50, { guard }));
  // Whoever pins the canary is no evidence.
  for (let count = 0; count < 30; count += 1) assert.equal(await called("watched@2"), "broken");
  assert.equal((await alias("watched"))["takenBack"], null);
  await until(async () => {
    await called("watched");
    return (await alias("watched"))["takenBack"] !== null;
  }, 20_000);
  const { versions, takenBack } = await alias("watched");
  assert.deepEqual(versions, [
    { version: 1, percent: 100 },
    { version: 2, percent: 0 },
  ]);
  assert.match(
    (takenBack as { reason: string }).reason,
    /^\d+ of \d+ calls within 60000 ms failed, limit is 10 %$/,
  );
  for (let count = 0; count < 50; count += 1) assert.equal(await called("watched"), "v1");
  assertProblem(await host.send("POST", "/v1/functions/watched/promote", {}), 409, "no_canary");
  const { events } = (await host.ask("GET", "/v1/events?function=listener")).json() as {
    events: { id: number }[];
  };
  assert.equal(events.length, 1);
  const event = (await host.ask("GET", `/v1/events/${events[0]?.id}`)).text;
  assert.match(event, /mayfly\.release\.taken-back/);
});
