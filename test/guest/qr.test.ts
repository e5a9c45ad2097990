// The qr example, read back by a decoder that has nothing to do with it.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import decodeQr from "qr/decode.js";
import { callGuest } from "./guest-harness.ts";
import { exampleModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await exampleModule("qr");
});

const modulePixels = 4;

function svgOf(text: string, level: string): string {
  const {
    status,
    contentType,
    text: svg,
  } = callGuest(module, {
    query: `text=${encodeURIComponent(text)}&level=${level}`,
  });
  assert.equal(status, 200, svg);
  assert.equal(contentType, "image/svg+xml");
  return svg;
}

/** The side of the code in modules, without its margin. */
function sizeOf(svg: string): number {
  return Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]) - 8;
}

function decode(svg: string): string {
  const side = (sizeOf(svg) + 8) * modulePixels;
  const data = new Uint8Array(side * side * 4).fill(255);
  const path = /fill="#000" d="([^"]*)"/.exec(svg)?.[1] ?? "";
  for (const [, x, y, width] of path.matchAll(/M(\d+),(\d+)h(\d+)v1h-\d+z/g)) {
    for (let row = 0; row < modulePixels; row += 1) {
      const start = ((Number(y) * modulePixels + row) * side + Number(x) * modulePixels) * 4;
      const pixels = Number(width) * modulePixels;
      for (let pixel = 0; pixel < pixels; pixel += 1) data.fill(0, start + pixel * 4, start + pixel * 4 + 3);
    }
  }
  return decodeQr({ width: side, height: side, data }, { timeLimit: 60_000 });
}

// Bytes that version 1, 7, 14, 27 and 40 hold at each level (ISO/IEC 18004, table 7).
const capacities: Readonly<Record<string, readonly number[]>> = {
  L: [17, 154, 458, 1465, 2953],
  M: [14, 122, 362, 1125, 2331],
  Q: [11, 86, 258, 805, 1663],
  H: [7, 64, 194, 625, 1273],
};
const versions = [1, 7, 14, 27, 40];

for (const [level, lengths] of Object.entries(capacities)) {
  describe(`at level ${level}`, () => {
    lengths.forEach((length, index) => {
      const version = versions[index] ?? 0;
      test(`${length} bytes fill version ${version}, and one more needs the next`, () => {
        const text = Array.from({ length }, (_, at) => String.fromCharCode(33 + ((at * 31) % 90))).join("");
        const svg = svgOf(text, level);
        assert.equal(sizeOf(svg), 17 + 4 * version);
        assert.equal(decode(svg), text);
        const longer = callGuest(module, { query: `text=${encodeURIComponent(`${text}x`)}&level=${level}` });
        if (version === 40) assert.equal(longer.status, 400);
        else assert.equal(sizeOf(longer.text), 17 + 4 * (version + 1));
      });
    });
  });
}

test("every version is read back", () => {
  for (let length = 1; length <= 2953; length += 67) {
    const text = "q".repeat(length);
    assert.equal(decode(svgOf(text, "L")), text, `${length} bytes`);
  }
});

test("text beyond ASCII is UTF-8", () => {
  for (const text of ["Grüße", "日本語", "😀 & <svg>"]) assert.equal(decode(svgOf(text, "Q")), text);
});

test("the level is M when none is asked for", () => {
  const text = "https://example.com/level";
  assert.equal(callGuest(module, { query: `text=${encodeURIComponent(text)}` }).text, svgOf(text, "M"));
});

test("a missing or empty text and an unknown level are 400", () => {
  for (const query of ["", "text=", "text=a&level=X", "text=a&level=LM", "text=a&level=l"]) {
    assert.equal(callGuest(module, { query }).status, 400, query);
  }
});
