// Reads a PNG (PNG specification, third edition): 8 bits a channel, not interlaced.

import { inflate } from "./inflate";
import { Picture } from "./picture";

const PIXELS_MAX: u64 = 8_000_000;

// Section 11.2.1: kinds of colour.
const GREY = 0;
const RGB = 2;
const PALETTE = 3;
const GREY_ALPHA = 4;
const RGB_ALPHA = 6;

/** Null when it is none, or one of another kind. */
export function readPng(png: Uint8Array): Picture | null {
  if (png.length < 33 || u32At(png, 0) !== 0x89504e47 || u32At(png, 4) !== 0x0d0a1a0a) return null;
  if (u32At(png, 12) !== 0x49484452) return null;
  const width = u32At(png, 16);
  const height = u32At(png, 20);
  const kind = <i32>png[25];
  if (width === 0 || height === 0 || <u64>width * height > PIXELS_MAX) return null;
  const channels = channelsOf(kind);
  if (png[24] !== 8 || channels === 0 || png[26] !== 0 || png[27] !== 0 || png[28] !== 0) return null;
  const chunks = new Chunks(png);
  const rows = inflate(chunks.data, (<i32>width * channels + 1) * height);
  if (rows === null || !unfilter(rows, <i32>width * channels, height, channels)) return null;
  return colour(rows, width, height, kind, chunks);
}

function channelsOf(kind: i32): i32 {
  if (kind === GREY || kind === PALETTE) return 1;
  if (kind === GREY_ALPHA) return 2;
  if (kind === RGB) return 3;
  return kind === RGB_ALPHA ? 4 : 0;
}

/** What of the chunks is needed (section 5.3). */
class Chunks {
  /** All IDAT together. */
  data: Uint8Array;
  palette: Uint8Array = new Uint8Array(0);
  opacity: Uint8Array = new Uint8Array(0);

  constructor(png: Uint8Array) {
    const data = new Uint8Array(png.length);
    let length = 0;
    for (let at = 8; at + 12 <= png.length; ) {
      const size = u32At(png, at);
      const kind = u32At(png, at + 4);
      if (size > <u32>(png.length - at - 12)) break;
      const content = png.subarray(at + 8, at + 8 + <i32>size);
      if (kind === 0x49444154) {
        data.set(content, length);
        length += content.length;
      } else if (kind === 0x504c5445) this.palette = content;
      else if (kind === 0x74524e53) this.opacity = content;
      at += 12 + <i32>size;
    }
    this.data = data.subarray(0, length);
  }
}

/** Section 9.2, in place: each row begins with the number of its filter. */
function unfilter(rows: Uint8Array, rowBytes: i32, height: i32, channels: i32): bool {
  for (let y = 0; y < height; y++) {
    const start = y * (rowBytes + 1);
    const filter = rows[start];
    if (filter > 4) return false;
    for (let i = 0; i < rowBytes; i++) {
      const at = start + 1 + i;
      const left = i >= channels ? <i32>rows[at - channels] : 0;
      const up = y > 0 ? <i32>rows[at - rowBytes - 1] : 0;
      const corner = y > 0 && i >= channels ? <i32>rows[at - rowBytes - 1 - channels] : 0;
      rows[at] = <u8>(rows[at] + predicted(filter, left, up, corner));
    }
  }
  return true;
}

function predicted(filter: u8, left: i32, up: i32, corner: i32): i32 {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) return 0;
  const estimate = left + up - corner;
  const byLeft = abs(estimate - left);
  const byUp = abs(estimate - up);
  const byCorner = abs(estimate - corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

function colour(rows: Uint8Array, width: i32, height: i32, kind: i32, chunks: Chunks): Picture | null {
  const picture = new Picture(width, height);
  const out = picture.pixels;
  const channels = channelsOf(kind);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let at = y * (width * channels + 1) + 1;
    for (let x = 0; x < width; x++, at += channels, to += 4) {
      const first = rows[at];
      if (kind === PALETTE) {
        if (<i32>first * 3 + 2 >= chunks.palette.length) return null;
        for (let i = 0; i < 3; i++) out[to + i] = chunks.palette[<i32>first * 3 + i];
        out[to + 3] = <i32>first < chunks.opacity.length ? chunks.opacity[first] : 255;
        continue;
      }
      const isGrey = kind === GREY || kind === GREY_ALPHA;
      out[to] = first;
      out[to + 1] = isGrey ? first : rows[at + 1];
      out[to + 2] = isGrey ? first : rows[at + 2];
      out[to + 3] = kind === GREY_ALPHA || kind === RGB_ALPHA ? rows[at + channels - 1] : 255;
    }
  }
  return picture;
}

function u32At(bytes: Uint8Array, at: i32): u32 {
  return (
    ((<u32>bytes[at]) << 24) | ((<u32>bytes[at + 1]) << 16) | ((<u32>bytes[at + 2]) << 8) | bytes[at + 3]
  );
}
