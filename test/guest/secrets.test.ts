// secrets of the SDK, on a host.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { assemble } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.ask("PUT", "/v1/functions/knows/secrets/EARLY", { body: "before the first version" });
  await host.deploy("knows", await compiled(join(import.meta.dirname, "functions", "secrets.as.ts")));
});
after(() => host.close());

const put = (name: string, value: string) =>
  host.ask("PUT", `/v1/functions/knows/secrets/${name}`, { body: value });
const get = async (name: string, path = "") => {
  const { status, text } = await host.ask("GET", `/fn/knows${path}`, { headers: { "x-name": name } });
  return status === 200 ? text : status;
};

test("a function reads its secrets, those from before its first version too", async () => {
  assert.equal(await get("EARLY"), "before the first version");
  assert.equal(await get("LATER"), 404);
  assert.equal((await put("LATER", "grüezi 😀")).status, 201);
  assert.equal(await get("LATER"), "grüezi 😀");
  assert.equal(await get("early"), 404);
});

test("another value holds from the next call on, and so does a removal", async () => {
  for (let round = 0; round < 20; round += 1) {
    await put("CHANGING", `value ${round}`);
    assert.equal(await get("CHANGING"), `value ${round}`);
  }
  assert.equal((await host.ask("DELETE", "/v1/functions/knows/secrets/CHANGING")).status, 204);
  assert.equal(await get("CHANGING"), 404);
});

test("a secret is among the variables only where the configuration asks for it", async () => {
  await put("SHOWN", "as a variable");
  await put("HIDDEN", "not as one");
  assert.equal(await get("SHOWN", "/env"), 404);
  await host.configure("knows", { env: { SHOWN: "plain", OTHER: "x" }, envSecrets: ["SHOWN", "ABSENT"] });
  assert.equal(await get("SHOWN", "/env"), "as a variable");
  assert.equal(await get("OTHER", "/env"), "x");
  assert.equal(await get("HIDDEN", "/env"), 404);
  assert.equal(await get("ABSENT", "/env"), 404);
  await put("SHOWN", "another");
  assert.equal(await get("SHOWN", "/env"), "another");
});

test("what a removed function knew its successor does not", async () => {
  const bytes = await compiled(join(import.meta.dirname, "functions", "secrets.as.ts"));
  await host.deploy("brief", bytes);
  const read = () => host.ask("GET", "/fn/brief", { headers: { "x-name": "KEY" } });
  await host.ask("PUT", "/v1/functions/brief/secrets/KEY", { body: "of the first" });
  assert.equal((await read()).text, "of the first");
  assert.equal((await host.ask("DELETE", "/v1/functions/brief")).status, 204);
  await host.deploy("brief", bytes);
  assert.equal((await read()).status, 404);
});

test("a function that asks for secrets while it starts is refused", async () => {
  const answer = await host.upload(
    "eager",
    assemble(`(module (import "mayfly" "secret_get" (func $get (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_initialize") (drop (call $get (i32.const 0) (i32.const 0))))
      (func (export "mayfly_handle") (param i32)))`),
  );
  assertProblem(answer, 422, "start_failed");
});
