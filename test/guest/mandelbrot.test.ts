// The mandelbrot example: its PNG is taken apart with Node's own zlib and checked to the pixel.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { callGuest } from "./guest-harness.ts";
import { exampleModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await exampleModule("mandelbrot");
});

type Picture = {
  readonly width: number;
  readonly height: number;
  readonly colorAt: (x: number, y: number) => number[];
};

function draw(query: string): Picture {
  const { status, contentType, body, text } = callGuest(module, { query });
  assert.equal(status, 200, text);
  assert.equal(contentType, "image/png");
  assert.equal(body.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < body.length; ) {
    const length = body.readUInt32BE(at);
    const type = body.toString("latin1", at + 4, at + 8);
    const end = at + 8 + length;
    assert.equal(body.readUInt32BE(end), crc32(body.subarray(at + 4, end)), `CRC of ${type}`);
    chunks.set(type, body.subarray(at + 8, end));
    at = end + 4;
  }
  assert.deepEqual([...chunks.keys()], ["IHDR", "PLTE", "IDAT", "IEND"]);
  const header = chunks.get("IHDR") ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  assert.deepEqual([...header.subarray(8)], [8, 3, 0, 0, 0]);
  const rows = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  assert.equal(rows.length, (width + 1) * height);
  const palette = chunks.get("PLTE") ?? Buffer.alloc(0);
  assert.equal(palette.length, 768);
  const colorAt = (x: number, y: number): number[] => {
    const index = rows[y * (width + 1) + 1 + x] ?? 0;
    return [...palette.subarray(index * 3, index * 3 + 3)];
  };
  for (let y = 0; y < height; y += 1) assert.equal(rows[y * (width + 1)], 0, "no filter");
  return { width, height, colorAt };
}

test("the whole set is drawn by default, black inside and coloured outside", () => {
  const { width, height, colorAt } = draw("");
  assert.deepEqual([width, height], [640, 480]);
  const pixel = (x: number, y: number): number[] => {
    const step = 2.6 / 480;
    return colorAt(Math.round((x + 0.65) / step + 319.5), Math.round(239.5 - y / step));
  };
  for (const [x, y] of [
    [0, 0],
    [-1, 0],
    [-0.1, 0.7],
    [0.2, 0.4],
    [-0.5, -0.5],
  ] as const) {
    assert.deepEqual(pixel(x, y), [0, 0, 0], `${x} ${y} is in the set`);
  }
  for (const [x, y] of [
    [0.5, 0],
    [1, 1],
    [-2.2, 0.1],
    [-0.75, 0.3],
  ] as const) {
    assert.notDeepEqual(pixel(x, y), [0, 0, 0], `${x} ${y} is not in the set`);
  }
});

test("the picture is symmetric around the real axis", () => {
  const { width, height, colorAt } = draw("width=200&height=100");
  for (let x = 0; x < width; x += 1) assert.deepEqual(colorAt(x, 20), colorAt(x, height - 1 - 20));
});

test("any size has a valid file, runs of every length included", () => {
  for (const query of [
    "width=1&height=1",
    "width=1&height=300",
    "width=2048&height=1",
    "width=517&height=3&x=2",
    "width=64&height=64&x=0&zoom=100",
  ]) {
    draw(query);
  }
});

describe("a parameter that makes no sense is 400 and is named:", () => {
  const rows = [
    "width=0",
    "width=2049",
    "height=1.5",
    "width=",
    "width=12abc",
    "x=NaN",
    "x=5",
    "y=--1",
    "zoom=0",
    "zoom=1e5",
    "iterations=5001",
  ];
  for (const query of rows) {
    test(query, () => {
      const { status, text } = callGuest(module, { query });
      assert.equal(status, 400);
      assert(text.startsWith(`${query.split("=")[0]}: want `), text);
    });
  }

  test("too much work at once", () => {
    assert.match(callGuest(module, { query: "width=2000&height=2000" }).text, /too much work/);
  });
});
