import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileKernel, kernels, startKernel } from "../../../bench/kernels/kernel-modules.ts";
import { inspectModule, WasmRefusal } from "../../../host/wasm/inspect.ts";
import { corpus } from "../corpus.ts";
import { meter } from "./counting.ts";
import { observeMetered, observePlain } from "./observe.ts";
import { randomModule } from "./random-modules.ts";

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
const firstSeed = Number(process.env["MAYFLY_TEST_SEED"] ?? 20_260_700);
const randomModules = soak ? 4_000 : 6;

describe("A metered module", () => {
  for (const { name } of kernels) {
    it(`answers as the plain one: kernel ${name}`, async () => {
      const bytes = await compileKernel(name);
      const pages = inspectModule(bytes).memories[0]?.initialPages ?? 0;
      let checks = 0;
      const metered = startKernel(meter(bytes), pages, () => {
        checks += 1;
        return 0;
      });
      const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports["run"];
      assert(typeof plain === "function");
      for (const rounds of [1, 2]) assert.equal(metered(rounds), plain(rounds));
      assert(checks > 0);
    });
  }

  for (const { label, bytes } of corpus) {
    it(`shows what the plain one shows: ${label}`, () => {
      assert.deepEqual(observeMetered(bytes).seen, observePlain(bytes).seen);
    });
  }

  it(`shows what the plain one shows: ${randomModules} random ones`, { timeout: 3_600_000 }, async (test) => {
    const tally = { compared: 0, refused: 0, invalid: 0, seen: 0, checks: 0 };
    let next = firstSeed;
    const work = async (): Promise<void> => {
      while (next < firstSeed + randomModules) {
        const seed = next;
        next += 1;
        compare(seed, await randomModule(seed), tally);
      }
    };
    await Promise.all([work(), work()]);
    test.diagnostic(`seeds from ${firstSeed}: ${JSON.stringify(tally)}`);
    assert(tally.compared > randomModules / 2);
    assert(tally.seen > 20 * tally.compared);
  });
});

type Tally = { compared: number; refused: number; invalid: number; seen: number; checks: number };

function compare(seed: number, bytes: Uint8Array, tally: Tally): void {
  if (!WebAssembly.validate(Uint8Array.from(bytes))) {
    tally.invalid += 1;
    return;
  }
  try {
    inspectModule(bytes, { metered: true });
  } catch (error) {
    assert(error instanceof WasmRefusal, `seed ${seed}`);
    tally.refused += 1;
    return;
  }
  assert.equal(faultOf(meter(bytes)), "", `seed ${seed}`);
  const plain = observePlain(bytes);
  const metered = observeMetered(bytes);
  assert.deepEqual(metered.seen, plain.seen, `seed ${seed}`);
  tally.compared += 1;
  tally.seen += plain.seen.length;
  tally.checks += metered.checks;
}

/** What V8 has against a module; "" when it is valid. */
function faultOf(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Module(bytes);
    return "";
  } catch (error) {
    return String(error);
  }
}
