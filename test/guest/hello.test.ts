// The hello example: what the README shows.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { exampleFile } from "../../scripts/examples.ts";
import { compiled } from "../support/compiled.ts";
import { callGuest } from "./guest-harness.ts";
import { exampleModule } from "./guests.ts";

test("hello greets the name in the query, or the world", async () => {
  const module = await exampleModule("hello");
  assert.equal(callGuest(module, { query: "name=Ada" }).text, "Hello, Ada!");
  assert.equal(callGuest(module, { query: "name=Zo%C3%AB+%F0%9F%98%80" }).text, "Hello, Zoë 😀!");
  assert.equal(callGuest(module, { query: "name=" }).text, "Hello, !");
  assert.equal(callGuest(module, {}).text, "Hello, world!");
  assert.equal(callGuest(module, {}).contentType, "text/plain; charset=utf-8");
});

test("hello takes less than 10,000 bytes", async () => {
  const wasm = await compiled(exampleFile("hello"));
  assert(wasm.length < 10_000, `${wasm.length} bytes`);
});

test("hello exports memory and mayfly_handle and imports only what it uses", async () => {
  const module = await exampleModule("hello");
  assert.deepEqual(
    WebAssembly.Module.exports(module)
      .map(({ name, kind }) => `${kind} ${name}`)
      .sort(),
    ["function mayfly_handle", "memory memory"],
  );
  assert.deepEqual(
    WebAssembly.Module.imports(module)
      .map(({ module: group, name }) => `${group}.${name}`)
      .sort(),
    ["env.abort", "mayfly.request_read", "mayfly.response_write"],
  );
});
