// A function's versions over the control plane: upload, idempotence, list, show, rollback, removal.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const one = answering("one");
const two = answering("two");
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Shown = { name: string; version: number; digest: string; live?: boolean };
const shown = async (path: string): Promise<Shown> => (await host.ask("GET", path)).json() as Shown;
const callText = async (name: string): Promise<string> => (await host.call(name)).text;

test("a first upload is 201 and is described in full", async () => {
  const answer = await host.upload("first", one);
  assert.equal(answer.status, 201);
  const { createdAt, url, ...rest } = answer.json() as Record<string, unknown>;
  assert.equal(rest["name"], "first");
  assert.equal(rest["version"], 1);
  assert.equal(rest["digest"], digestOf(one));
  assert.equal(rest["abi"], "assemblyscript");
  assert.equal(rest["bytes"], one.length);
  assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { by, newUs, resetUs } = rest["fresh"] as { by: string; newUs: number; resetUs: number };
  assert.ok(newUs > 0 && resetUs > 0, "measured, both ways");
  assert.equal(by, resetUs < newUs ? "reset" : "new");
  assert.equal(url, `${host.host.url}/fn/first`);
  assert.deepEqual(await shown("/v1/functions/first"), answer.json());
  assert.equal(await callText("first"), "one");
});

test("the same bytes again are 200 and change nothing", async () => {
  await host.deploy("same", one);
  const before = await shown("/v1/functions/same");
  const answer = await host.upload("same", one);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), before);
});

test("versions count 1, 2, 3 and the older bytes make the older version live again with 200", async () => {
  await host.deploy("counted", one);
  assert.equal(((await host.upload("counted", two)).json() as Shown).version, 2);
  assert.equal(await callText("counted"), "two");
  const again = await host.upload("counted", one);
  assert.equal(`${again.status} ${(again.json() as Shown).version}`, "200 1");
  assert.equal(await callText("counted"), "one");
  const third = await host.upload("counted", answering("three"));
  assert.equal(`${third.status} ${(third.json() as Shown).version}`, "201 3");
  const { versions } = (await host.ask("GET", "/v1/functions/counted/versions")).json() as {
    versions: Shown[];
  };
  assert.deepEqual(
    versions.map(({ version, live }) => [version, live]),
    [
      [3, true],
      [2, false],
      [1, false],
    ],
  );
  assert.equal(versions[2]?.digest, digestOf(one));
});

test("a rollback makes the named version live, and an unknown one is 404", async () => {
  await host.deploy("rolled", one);
  await host.deploy("rolled", two);
  const answer = await host.send("POST", "/v1/functions/rolled/rollback", { version: 1 });
  assert.equal(`${answer.status} ${(answer.json() as Shown).version}`, "200 1");
  assert.equal(await callText("rolled"), "one");
  const unknown = await host.send("POST", "/v1/functions/rolled/rollback", { version: 9 });
  assertProblem(unknown, 404, "function_not_found");
  assert.equal(await callText("rolled"), "one");
});

test("a rollback takes a version number alone", async () => {
  const bodies = [
    "",
    "{",
    "null",
    "[]",
    '{"version":0}',
    '{"version":-1}',
    '{"version":1.5}',
    '{"version":"1"}',
  ];
  for (const body of [...bodies, '{"version":1,"other":1}', '{"version":1e99}', '{"alias":1}']) {
    assertProblem(await host.ask("POST", "/v1/functions/strict/rollback", { body }), 400, "bad_request");
  }
  assertProblem(
    await host.send("POST", "/v1/functions/absent/rollback", { version: 1 }),
    404,
    "function_not_found",
  );
});

test("the list holds every function by name", async () => {
  await host.deploy("zeta", one);
  await host.deploy("alpha", two);
  const { functions } = (await host.ask("GET", "/v1/functions")).json() as { functions: Shown[] };
  const names = functions.map(({ name }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.ok(names.includes("alpha") && names.includes("zeta"));
});

test("a removal is 204, after which nothing of the function is left", async () => {
  const bytes = answering("to be removed");
  await host.deploy("removed", bytes);
  await host.configure("removed", { env: { A: "1" } });
  const file = `${digestOf(bytes).replace(":", "-")}.wasm`;
  assert.ok((await readdir(join(host.dataDir, "modules"))).includes(file));
  const answer = await host.ask("DELETE", "/v1/functions/removed");
  assert.equal(answer.status, 204);
  assert.equal(answer.bytes.length, 0);
  for (const path of ["", "/versions", "/logs"]) {
    assertProblem(await host.ask("GET", `/v1/functions/removed${path}`), 404, "function_not_found");
  }
  assertProblem(await host.call("removed"), 404, "function_not_found");
  assertProblem(await host.ask("DELETE", "/v1/functions/removed"), 404, "function_not_found");
  const config = (await host.ask("GET", "/v1/functions/removed/config")).json() as { env: unknown };
  assert.deepEqual(config.env, {});
  assert.ok(!(await readdir(join(host.dataDir, "modules"))).includes(file));
});

test("bytes that two functions share stay when one of them is removed", async () => {
  const bytes = answering("shared");
  await host.deploy("shared-a", bytes);
  await host.deploy("shared-b", bytes);
  assert.equal((await host.ask("DELETE", "/v1/functions/shared-a")).status, 204);
  assert.equal(await callText("shared-b"), "shared");
});

test("uploads of one name at once each get a version, and one of them is live", async () => {
  const texts = ["race 1", "race 2", "race 3", "race 1"];
  const answers = await Promise.all(texts.map((text) => host.upload("race", answering(text))));
  for (const answer of answers) assert.ok(answer.status === 201 || answer.status === 200, answer.text);
  const { versions } = (await host.ask("GET", "/v1/functions/race/versions")).json() as { versions: Shown[] };
  assert.deepEqual(
    versions.map(({ version }) => version),
    [3, 2, 1],
  );
  assert.equal(versions.filter(({ live }) => live).length, 1);
  const live = versions.find((row) => row.live);
  assert.equal(digestOf(answering(await callText("race"))), live?.digest);
});
