// The component of the peers that take components alone, and the source that it says it was made from.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { helloComponent } from "../../bench/peers/component/hello-component.ts";
import { assemble } from "../support/guests.ts";

const source = join(import.meta.dirname, "../../bench/peers/component/hello-core.wat");

test("the component is one, and holds the code of its source", () => {
  // Magic, then version 13 in layer 1: a component, and no core module.
  assert.deepEqual([...helloComponent.subarray(0, 8)], [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  const code = codeSection(Buffer.from(assemble(readFileSync(source, "utf8"))));
  assert.ok(code.length > 200);
  assert.ok(helloComponent.includes(code));
});

/** The content of a module's code section. */
function codeSection(module: Buffer): Buffer {
  let at = 8;
  const length = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < module.length) {
    const id = module[at++];
    const bytes = length();
    if (id === 10) return module.subarray(at, at + bytes);
    at += bytes;
  }
  throw new Error("The module has no code");
}
