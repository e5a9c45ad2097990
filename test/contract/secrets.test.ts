// Secrets over HTTP: values go in, and names come out.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("shop", answering("ok"));
});
after(() => host.close());

const put = (name: string, body: string | Uint8Array, of = "shop") =>
  host.ask("PUT", `/v1/functions/${of}/secrets/${name}`, { body });
const names = async (of = "shop") => {
  const answer = await host.ask("GET", `/v1/functions/${of}/secrets`);
  return (answer.json() as { secrets: { name: string }[] }).secrets.map(({ name }) => name);
};

test("a secret is set, replaced, listed by its name and removed", async () => {
  const created = await put("PAYMENT_KEY", "one");
  assert.equal(created.status, 201);
  const shown = created.json() as { name: string; createdAt: string; updatedAt: string };
  assert.deepEqual(Object.keys(shown), ["name", "createdAt", "updatedAt"]);
  const replaced = (await put("PAYMENT_KEY", "two")).json() as typeof shown;
  assert.equal(replaced.createdAt, shown.createdAt);
  await put("A", "x");
  assert.deepEqual(await names(), ["A", "PAYMENT_KEY"]);
  assertProblem(await host.ask("GET", "/v1/functions/shop/secrets/A"), 405, "method_not_allowed");
  assert.equal((await host.ask("DELETE", "/v1/functions/shop/secrets/A")).status, 204);
  assertProblem(await host.ask("DELETE", "/v1/functions/shop/secrets/A"), 404, "secret_not_found");
  assert.deepEqual(await names(), ["PAYMENT_KEY"]);
  assert.deepEqual(await names("other"), []);
});

test("what is no name, and what is no value, is refused without a word of it", async () => {
  for (const name of ["1A", "A-B", "%41", "a.b", "A".repeat(129), "é"].map(encodeURI)) {
    const answer = await put(name, "hunter2");
    assert.equal(answer.status, 400, name);
    assert.ok(!answer.text.includes("hunter2"));
  }
  assertProblem(await put("EMPTY", ""), 400, "bad_request");
  assertProblem(await put("BYTES", Uint8Array.of(0xff, 0xfe)), 400, "bad_request");
  const large = await put("LARGE", "hunter2".repeat(limits.secretBytesMax / 7 + 1));
  assertProblem(large, 413, "secret_too_large");
  assert.ok(!large.text.includes("hunter2"));
  assert.equal((await put("LARGEST", "x".repeat(limits.secretBytesMax))).status, 201);
  assert.ok(!(await names()).some((name) => ["EMPTY", "BYTES", "LARGE"].includes(name)));
});

test("a function has so many secrets and no more", async () => {
  await host.deploy("full", answering("ok"));
  for (let count = 0; count < limits.secretsPerFunctionMax; count += 1) {
    assert.equal((await put(`S${count}`, "x", "full")).status, 201);
  }
  const further = await put("FURTHER", "x", "full");
  assertProblem(further, 403, "quota_exceeded");
  assert.match(further.text, /secretsPerFunctionMax/);
  assert.equal((await put("S0", "y", "full")).status, 200);
  assert.equal((await names("full")).length, limits.secretsPerFunctionMax);
});
