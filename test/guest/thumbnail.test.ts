// The example thumbnail, end to end: pictures of each kind come in by HTTP, small ones are there in the end.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { exampleFile, readExample } from "../../scripts/examples.ts";
import { until } from "../flow/supervised-host.ts";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("thumbnail", await compiled(exampleFile("thumbnail")));
  const { triggers = {} } = await readExample("thumbnail");
  for (const [trigger, settings] of Object.entries(triggers)) {
    const added = await host.send("PUT", `/v1/functions/thumbnail/triggers/${trigger}`, settings);
    assert.equal(added.status, 201, added.text);
  }
});
after(() => host.close());

const kinds = { grey: [0, 1], rgb: [2, 3], palette: [3, 1], greyAlpha: [4, 2], rgbAlpha: [6, 4] } as const;
type Kind = keyof typeof kinds;

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(named.length + 8);
  out.writeUInt32BE(data.length, 0);
  named.copy(out, 4);
  out.writeUInt32BE(crc32(named), named.length + 4);
  return out;
}

type Made = { kind: Kind; width: number; height: number; filter: number; level?: number };

/** A picture whose left half is red (or dark) and right half blue (or light), with one of the filters. */
function png({ kind, width, height, filter, level = 6 }: Made): Buffer {
  const [type, channels] = kinds[kind];
  const colours: Record<Kind, [number[], number[]]> = {
    grey: [[10], [200]],
    rgb: [
      [255, 0, 0],
      [0, 0, 255],
    ],
    palette: [[0], [1]],
    greyAlpha: [
      [10, 128],
      [200, 255],
    ],
    rgbAlpha: [
      [255, 0, 0, 128],
      [0, 0, 255, 255],
    ],
  };
  const plain = Buffer.alloc(width * channels * height);
  for (let at = 0; at < width * height; at += 1) {
    plain.set(colours[kind][at % width < width / 2 ? 0 : 1], at * channels);
  }
  const rowBytes = width * channels;
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y += 1) {
    rows[y * (rowBytes + 1)] = filter;
    for (let i = 0; i < rowBytes; i += 1) {
      const of = (row: number, column: number) =>
        row < 0 || column < 0 ? 0 : (plain[row * rowBytes + column] ?? 0);
      const [left, up, corner] = [of(y, i - channels), of(y - 1, i), of(y - 1, i - channels)];
      const paeth = () => {
        const estimate = left + up - corner;
        const near = [left, up, corner].map((value) => Math.abs(estimate - value));
        return [left, up, corner][near.indexOf(Math.min(...near))] ?? 0;
      };
      const predicted = [0, left, up, (left + up) >> 1, filter === 4 ? paeth() : 0][filter] ?? 0;
      rows[y * (rowBytes + 1) + 1 + i] = of(y, i) - predicted;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, type, 0, 0, 0], 8);
  const data = deflateSync(rows, { level });
  const half = data.length >> 1;
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...(kind === "palette"
      ? [chunk("PLTE", Buffer.from([255, 0, 0, 0, 0, 255])), chunk("tRNS", Buffer.from([128]))]
      : []),
    chunk("IDAT", data.subarray(0, half)),
    chunk("IDAT", data.subarray(half)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Of a picture as the example writes it. */
function pixelsOf(file: Buffer): { width: number; height: number; at: (x: number, y: number) => number[] } {
  const [width, height] = [file.readUInt32BE(16), file.readUInt32BE(20)];
  assert.deepEqual([...file.subarray(24, 29)], [8, 6, 0, 0, 0]);
  const length = file.readUInt32BE(33);
  assert.equal(file.toString("latin1", 37, 41), "IDAT");
  assert.equal(file.readUInt32BE(41 + length), crc32(file.subarray(37, 41 + length)));
  const rows = inflateSync(file.subarray(41, 41 + length));
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    assert.equal(rows[y * (width * 4 + 1)], 2);
    for (let i = 0; i < width * 4; i += 1) {
      const above = y === 0 ? 0 : (pixels[(y - 1) * width * 4 + i] ?? 0);
      pixels[y * width * 4 + i] = (rows[y * (width * 4 + 1) + 1 + i] ?? 0) + above;
    }
  }
  return { width, height, at: (x, y) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)] };
}

const put = async (key: string, body: Uint8Array): Promise<void> => {
  const answer = await host.ask("PUT", `/v1/blobs/photos/${key}`, { body });
  assert.equal(answer.status, 201, answer.text);
};
async function thumbnail(key: string) {
  await until(async () => (await host.ask("HEAD", `/v1/blobs/thumbnails/${key}`)).status === 200, 20_000);
  const answer = await host.ask("GET", `/v1/blobs/thumbnails/${key}`);
  assert.equal(answer.header("content-type"), "image/png");
  return pixelsOf(Buffer.from(answer.bytes));
}

test("a picture of each kind and filter becomes a small one of the same colours", async () => {
  const expected: Record<Kind, [number[], number[]]> = {
    grey: [
      [10, 10, 10, 255],
      [200, 200, 200, 255],
    ],
    rgb: [
      [255, 0, 0, 255],
      [0, 0, 255, 255],
    ],
    palette: [
      [255, 0, 0, 128],
      [0, 0, 255, 255],
    ],
    greyAlpha: [
      [10, 10, 10, 128],
      [200, 200, 200, 255],
    ],
    rgbAlpha: [
      [255, 0, 0, 128],
      [0, 0, 255, 255],
    ],
  };
  for (const [index, kind] of (Object.keys(kinds) as Kind[]).entries()) {
    // Levels 0 and 9: stored blocks, and those with codes of their own.
    await put(
      `${kind}.png`,
      png({ kind, width: 640, height: 320, filter: index, level: index % 2 === 0 ? 9 : 0 }),
    );
    const { width, height, at } = await thumbnail(`${kind}.png`);
    assert.deepEqual([width, height], [128, 64], kind);
    assert.deepEqual([at(0, 0), at(127, 63)], expected[kind], kind);
    assert.deepEqual([at(63, 30), at(64, 30)], expected[kind], kind);
  }
  const { thumbnails } = (await host.ask("GET", "/fn/thumbnail")).json() as { thumbnails: string[] };
  assert.deepEqual(
    thumbnails.sort(),
    Object.keys(kinds)
      .map((kind) => `${kind}.png`)
      .sort(),
  );
});

test("one that fits stays as it is, and a thin one keeps a pixel", async () => {
  await put("tiny.png", png({ kind: "rgb", width: 4, height: 2, filter: 4 }));
  const tiny = await thumbnail("tiny.png");
  assert.deepEqual([tiny.width, tiny.height, tiny.at(3, 1)], [4, 2, [0, 0, 255, 255]]);
  await put("thin.png", png({ kind: "grey", width: 1_000, height: 1, filter: 1, level: 1 }));
  const thin = await thumbnail("thin.png");
  assert.deepEqual([thin.width, thin.height], [128, 1]);
});

test("what is no such picture is said to be none, once, and leaves no dead letter", async () => {
  const whole = png({ kind: "rgb", width: 20, height: 20, filter: 0 });
  const huge = Buffer.from(whole);
  huge.writeUInt32BE(0x7fffffff, 16);
  const sixteen = Buffer.from(whole);
  sixteen[24] = 16;
  const broken = Buffer.from(whole);
  broken.fill(0xff, 43, 60);
  const bad = {
    text: Buffer.from("no picture"),
    cut: whole.subarray(0, 60),
    huge,
    sixteen,
    broken,
    empty: Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(bad)) await put(`bad-${name}.png`, bytes);
  await put("bad-name.jpg", whole);
  const warned = async () =>
    (await host.logs("thumbnail")).filter(({ message }) => message.includes("is no PNG"));
  await until(async () => (await warned()).length === Object.keys(bad).length, 20_000);
  await until(async () => (await host.ask("GET", "/v1/events")).text.includes('"events":[]'), 10_000);
  const { thumbnails } = (await host.ask("GET", "/fn/thumbnail")).json() as { thumbnails: string[] };
  assert.deepEqual(
    thumbnails.filter((name) => name.startsWith("bad")),
    [],
  );
});
