// The error and limit tables of the code and the pages that describe them say the same, both ways.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { errorTable } from "../../host/errors.ts";
import { assertLimits, limitTable } from "../../host/limits.ts";

const docs = new URL("../../docs/", import.meta.url);

/** Cells of every table row whose first cell is one word in backquotes. */
async function rows(page: string): Promise<Map<string, string[]>> {
  const text = await readFile(new URL(page, docs), "utf8");
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, name, rest] = /^\| *`(\w+)` *\|(.*)\|\s*$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) continue;
    assert.ok(!found.has(name), `${page} has ${name} twice`);
    found.set(
      name,
      rest.split("|").map((cell) => cell.trim()),
    );
  }
  return found;
}

test("docs/errors.md has each code with its status, and no other", async () => {
  const documented = await rows("errors.md");
  assert.deepEqual([...documented.keys()].sort(), Object.keys(errorTable).sort());
  for (const [code, { status }] of Object.entries(errorTable)) {
    assert.match(documented.get(code)?.[0] ?? "", new RegExp(`^${status}\\b`), code);
  }
});

test("docs/limits.md has each limit with its value and unit, and no other", async () => {
  const documented = await rows("limits.md");
  assert.deepEqual([...documented.keys()].sort(), Object.keys(limitTable).sort());
  for (const [name, { value, unit }] of Object.entries(limitTable)) {
    const cells = documented.get(name) ?? [];
    const shown = cells.join(" ").replace(/(\d)[,_ \u202f](?=\d{3})/g, "$1");
    assert.match(shown, new RegExp(`(^|\\D)${value}(\\D|$)`), `${name}: ${cells.join(" | ")}`);
    assert.ok(shown.includes(unit), `${name}: ${unit}`);
  }
});

test("every code that is promised has its status", () => {
  const contract = {
    function_not_found: 404,
    not_found: 404,
    body_too_large: 413,
    request_timeout: 408,
    concurrency_limited: 429,
    overloaded: 503,
    worker_lost: 503,
    function_quarantined: 503,
    guest_trapped: 502,
    memory_exceeded: 502,
    bad_guest_output: 502,
    deadline_exceeded: 504,
    cpu_exceeded: 504,
    internal: 500,
    invalid_module: 422,
    unknown_import: 422,
    unsupported_feature: 422,
    start_failed: 422,
    unknown_abi: 422,
    module_too_large: 413,
    invalid_config: 400,
    storage_full: 507,
    invalid_name: 400,
    origin_refused: 403,
  };
  for (const [code, status] of Object.entries(contract)) {
    assert.equal(errorTable[code as keyof typeof errorTable].status, status, code);
  }
});

test("limits are whole positive numbers and their relations hold", () => {
  assertLimits();
  for (const [name, { value, why }] of Object.entries(limitTable)) {
    assert.ok(Number.isSafeInteger(value) && value > 0 && why.length > 10, name);
  }
});
