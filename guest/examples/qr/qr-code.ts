// Builds a QR code (ISO/IEC 18004) of a text's bytes: chooses the smallest version that holds them,
// adds error correction, draws, and picks the mask that scanners read best.

import { blockCount, blockEccLength, dataCapacity } from "./capacity";
import { applyMask, drawCodewords, drawFormat, drawFunctionPatterns } from "./draw";
import { Matrix } from "./matrix";
import { penalty } from "./penalty";
import { correctionBytes, generator } from "./reed-solomon";

const VERSION_MAX = 40;

/** The code of some bytes at a level from 0 (L) to 3 (H); `null` when no version can hold them. */
export function encodeQr(bytes: Uint8Array, level: i32): Matrix | null {
  const version = smallestVersion(bytes.length, level);
  if (version === 0) return null;
  const codewords = withCorrection(dataCodewords(bytes, version, level), version, level);

  let best: Matrix | null = null;
  let bestPenalty = i32.MAX_VALUE;
  const drawn = new Matrix(17 + 4 * version);
  drawFunctionPatterns(drawn, version);
  drawCodewords(drawn, codewords);
  for (let mask = 0; mask < 8; mask++) {
    const candidate = drawn.copy();
    applyMask(candidate, mask);
    drawFormat(candidate, level, mask);
    const points = penalty(candidate);
    if (points < bestPenalty) {
      bestPenalty = points;
      best = candidate;
    }
  }
  return best;
}

/** The length of a text takes 8 bits in small versions, 16 in others (table 3). */
function lengthBits(version: i32): i32 {
  return version < 10 ? 8 : 16;
}

function smallestVersion(length: i32, level: i32): i32 {
  for (let version = 1; version <= VERSION_MAX; version++) {
    if (4 + lengthBits(version) + 8 * length <= 8 * dataCapacity(version, level)) return version;
  }
  return 0;
}

/** Mode, length, the bytes themselves, an end mark, and padding to the version's capacity (7.4). */
function dataCodewords(bytes: Uint8Array, version: i32, level: i32): Uint8Array {
  const data = new Uint8Array(dataCapacity(version, level));
  let bit = put(data, 0, 0b0100, 4);
  bit = put(data, bit, bytes.length, lengthBits(version));
  for (let i = 0; i < bytes.length; i++) bit = put(data, bit, bytes[i], 8);
  // At most four zero bits end the data, then zeros up to a whole byte: they are there already.
  let at = (min(bit + 4, data.length * 8) + 7) >> 3;
  for (let pad: u8 = 0xec; at < data.length; pad ^= 0xec ^ 0x11) data[at++] = pad;
  return data;
}

/** Writes the lowest `length` bits of a value at a bit position; the answer is the next position. */
function put(data: Uint8Array, position: i32, value: i32, length: i32): i32 {
  for (let i = length - 1; i >= 0; i--, position++) {
    data[position >> 3] |= <u8>(((value >> i) & 1) << (7 - (position & 7)));
  }
  return position;
}

/** Splits the data into blocks, adds to each its correction bytes, and interleaves all (7.5, 7.6). */
function withCorrection(data: Uint8Array, version: i32, level: i32): Uint8Array {
  const blocks = blockCount(version, level);
  const eccLength = blockEccLength(version, level);
  const shortLength = data.length / blocks;
  const longBlocks = data.length % blocks;
  const divisor = generator(eccLength);
  const result = new Uint8Array(data.length + blocks * eccLength);
  let start = 0;
  for (let block = 0; block < blocks; block++) {
    const isLong = block >= blocks - longBlocks;
    const part = data.subarray(start, start + shortLength + (isLong ? 1 : 0));
    start += part.length;
    for (let i = 0; i < shortLength; i++) result[i * blocks + block] = part[i];
    // The last byte of the long blocks comes after all that every block has.
    if (isLong) result[shortLength * blocks + block - (blocks - longBlocks)] = part[shortLength];
    const correction = correctionBytes(part, divisor);
    for (let i = 0; i < eccLength; i++) result[data.length + i * blocks + block] = correction[i];
  }
  return result;
}
