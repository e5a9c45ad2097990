// Writes a PNG with a palette (PNG specification, third edition): a signature and four chunks.

import { Bytes } from "./bytes";
import { deflate } from "./deflate";

const SIGNATURE: StaticArray<u8> = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A PNG of one palette index per pixel; `palette` is three bytes per colour. */
export function encodePng(pixels: Uint8Array, width: i32, height: i32, palette: Uint8Array): Uint8Array {
  const png = new Bytes(pixels.length / 2 + 2048);
  for (let i = 0; i < SIGNATURE.length; i++) png.push(SIGNATURE[i]);

  const header = new Bytes(13);
  header.pushU32(width);
  header.pushU32(height);
  header.push(8); // bits per pixel
  header.push(3); // colours from a palette
  header.push(0); // deflate
  header.push(0); // the standard filters
  header.push(0); // not interlaced
  pushChunk(png, "IHDR", header.toArray());
  pushChunk(png, "PLTE", palette);
  pushChunk(png, "IDAT", deflate(withFilters(pixels, width, height)));
  pushChunk(png, "IEND", new Uint8Array(0));
  return png.toArray();
}

/** Each row begins with the number of its filter: 0, none. */
function withFilters(pixels: Uint8Array, width: i32, height: i32): Uint8Array {
  const rows = new Uint8Array((width + 1) * height);
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return rows;
}

export function pushChunk(png: Bytes, type: string, data: Uint8Array): void {
  png.pushU32(data.length);
  const start = png.length;
  for (let i = 0; i < 4; i++) png.push(<u8>type.charCodeAt(i));
  for (let i = 0; i < data.length; i++) png.push(data[i]);
  png.pushU32(crc32(png, start));
}

/** The checksum of what was written since `start` (PNG specification, annex D). */
function crc32(bytes: Bytes, start: i32): u32 {
  const table = new StaticArray<u32>(256);
  for (let i = 0; i < 256; i++) {
    let remainder: u32 = i;
    for (let bit = 0; bit < 8; bit++)
      remainder = remainder & 1 ? 0xedb88320 ^ (remainder >> 1) : remainder >> 1;
    table[i] = remainder;
  }
  let crc: u32 = 0xffffffff;
  for (let i = start; i < bytes.length; i++) crc = table[(crc ^ bytes.at(i)) & 255] ^ (crc >> 8);
  return crc ^ 0xffffffff;
}
