// What reading a component must not do, whatever its bytes are; and that core modules which call one another
// are metered as one guest is.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { inspectComponent } from "../../host/wasm/component/inspect-component.ts";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import { WasmRefusal } from "../../host/wasm/refusal.ts";
import { component, handler } from "../support/components.ts";
import { assemble } from "../support/guests.ts";
import { seededRandom } from "../support/seeded-random.ts";

const whole = component(handler(""));

test("a component is read as a plan: its modules in order, and where each import comes from", () => {
  const { plan, modules, memoryModule, exports } = inspectComponent(whole);
  assert.ok(plan !== null);
  assert.deepEqual(exports, ["wasi:http/incoming-handler@0.2.12"]);
  // What wit-component makes: a table for what is lowered later, the module itself, and what fills the table.
  assert.deepEqual([modules.length, memoryModule, plan.entry.instance], [3, 1, 1]);
  const [main] = plan.steps.slice(1);
  const fields = main?.imports.find(({ name }) => name === "[constructor]fields");
  assert.deepEqual(fields?.source, {
    kind: "host",
    interface: "wasi:http/types@0.2.12",
    name: "[constructor]fields",
    realloc: null,
  });
});

test("bytes that were changed are refused or read, and nothing else is thrown", (context) => {
  const random = seededRandom(context);
  let refused = 0;
  const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 20_000 : 300;
  for (let round = 0; round < rounds; round += 1) {
    const bytes = Buffer.from(whole);
    for (let change = 0; change < 3; change += 1)
      bytes[8 + Math.floor(random() * (bytes.length - 8))] = random() * 256;
    try {
      inspectComponent(bytes);
    } catch (error) {
      assert.ok(error instanceof WasmRefusal, String(error));
      refused += 1;
    }
  }
  assert.ok(refused > 0);
});

test("modules that call one another ever more often are stopped by a check", () => {
  const calls = 16;
  let checks = 0;
  const check = (): number => {
    checks += 1;
    return Number(checks > 3);
  };
  const stop = { check, pause: () => 0 };
  const prepared = (text: string): WebAssembly.Module => {
    const bytes = assemble(text);
    const inspection = inspectModule(bytes, { metered: true });
    return new WebAssembly.Module(prepareModule(bytes, inspection, { meter: true, callsGuests: true }));
  };
  const next = prepared(`(module (import "m" "f" (func $f))
    (func (export "f") ${"(call $f)".repeat(calls)}))`);
  let exported = new WebAssembly.Instance(prepared(`(module (func (export "f")))`)).exports;
  // Without checks of their own these would make 16 to the power of 12 calls.
  for (let depth = 0; depth < 12; depth += 1) {
    exported = new WebAssembly.Instance(next, {
      m: { f: exported["f"] },
      "mayfly:host": stop,
    } as WebAssembly.Imports).exports;
  }
  assert.throws(() => (exported["f"] as () => void)(), WebAssembly.RuntimeError);
  assert.equal(checks, 4);
});
