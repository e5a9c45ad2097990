import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectModule, WasmRefusal } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import { seeded } from "../support/seeded-random.ts";
import { corpus } from "./corpus.ts";

const mutantsPerModule = process.env["MAYFLY_TEST_SOAK"] === "1" ? 10_000 : 400;
const seed = 20_260_723;

/** One to four changes: a bit, a byte, a removed, doubled or foreign range, a huge number. */
function mutate(bytes: Uint8Array, random: () => number): Uint8Array<ArrayBuffer> {
  let mutant = Uint8Array.from(bytes);
  for (let changes = 1 + (random() % 4); changes > 0; changes -= 1) {
    // The first eight bytes stay: what is no module is another test's business.
    const at = 8 + (random() % Math.max(1, mutant.length - 8));
    const length = 1 + (random() % 8);
    const before = mutant.subarray(0, at);
    switch (random() % 6) {
      case 0:
        mutant[at] = (mutant[at] ?? 0) ^ (1 << (random() % 8));
        break;
      case 1:
        mutant[at] = random() & 0xff;
        break;
      case 2:
        mutant = joined(before, mutant.subarray(at + length));
        break;
      case 3:
        mutant = joined(before, mutant.subarray(at, at + length), mutant.subarray(at));
        break;
      case 4:
        mutant = joined(
          before,
          Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
          mutant.subarray(at + (random() % 6)),
        );
        break;
      default: {
        const from = random() % mutant.length;
        mutant = joined(before, mutant.subarray(from, from + length), mutant.subarray(at + length));
      }
    }
  }
  return mutant;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

type Tally = { refused: number; accepted: number; valid: number };

function check(mutant: Uint8Array<ArrayBuffer>, label: string, tally: Tally): void {
  let prepared: Uint8Array<ArrayBuffer>;
  try {
    // Either form by turns; tail calls are let in only where they are metered.
    const meter = tally.accepted % 2 === 1;
    prepared = prepareModule(mutant, inspectModule(mutant, { metered: meter }), { meter });
  } catch (error) {
    assert(error instanceof WasmRefusal, `${label}: ${error instanceof Error ? error.stack : error}`);
    assert.match(error.message, /^[ -~]+$/, label);
    if (error.code === "invalid_module")
      assert(!WebAssembly.validate(mutant), `${label}: V8 accepts, ${error.message}`);
    tally.refused += 1;
    return;
  }
  tally.accepted += 1;
  const valid = WebAssembly.validate(mutant);
  assert.equal(
    WebAssembly.validate(prepared),
    valid,
    `${label}: prepared, the module is no longer as valid as before`,
  );
  if (valid) tally.valid += 1;
}

describe("inspectModule and prepareModule", () => {
  for (const [index, { label, bytes }] of corpus.entries()) {
    it(`refuse or prepare ${mutantsPerModule} mutants of: ${label}`, { timeout: 120_000 }, (test) => {
      const tally: Tally = { refused: 0, accepted: 0, valid: 0 };
      const random = seeded(seed + index);
      for (let mutant = 0; mutant < mutantsPerModule; mutant += 1) {
        check(mutate(bytes, random), `seed ${seed + index}, mutant ${mutant}`, tally);
      }
      test.diagnostic(`seed ${seed + index}: ${JSON.stringify(tally)}`);
      assert(tally.refused > 0 && (bytes.length < 20 || tally.valid > 0));
    });
  }

  it("refuse random bytes behind a header", (test) => {
    const random = seeded(seed);
    const tally: Tally = { refused: 0, accepted: 0, valid: 0 };
    for (let round = 0; round < mutantsPerModule; round += 1) {
      const bytes = Uint8Array.from({ length: random() % 200 }, () => random() & 0x7f);
      check(
        joined(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), bytes),
        `seed ${seed}, round ${round}`,
        tally,
      );
    }
    test.diagnostic(`seed ${seed}: ${JSON.stringify(tally)}`);
  });
});
