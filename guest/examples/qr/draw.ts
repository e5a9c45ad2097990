// Draws the parts of a QR code into its matrix: the patterns that scanners look for, the format
// and version, the data, and a mask over the data (ISO/IEC 18004, sections 6.3 and 7.7 to 7.10).

import { Matrix } from "./matrix";

/** Finders, timing, alignment, version; the place of the format is kept free. */
export function drawFunctionPatterns(code: Matrix, version: i32): void {
  const size = code.size;
  for (let i = 0; i < size; i++) {
    code.setPattern(6, i, i % 2 === 0);
    code.setPattern(i, 6, i % 2 === 0);
  }
  drawFinder(code, 3, 3);
  drawFinder(code, size - 4, 3);
  drawFinder(code, 3, size - 4);
  const positions = alignmentPositions(version, size);
  const last = positions.length - 1;
  for (let i = 0; i <= last; i++) {
    for (let j = 0; j <= last; j++) {
      // Three corners have finders already.
      if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) continue;
      drawAlignment(code, positions[i], positions[j]);
    }
  }
  drawFormat(code, 0, 0);
  if (version >= 7) drawVersion(code, version);
}

function drawFinder(code: Matrix, x: i32, y: i32): void {
  for (let dy = -4; dy <= 4; dy++) {
    for (let dx = -4; dx <= 4; dx++) {
      const ring = max(abs(dx), abs(dy));
      code.setPattern(x + dx, y + dy, ring !== 2 && ring !== 4);
    }
  }
}

function drawAlignment(code: Matrix, x: i32, y: i32): void {
  for (let dy = -2; dy <= 2; dy++) {
    for (let dx = -2; dx <= 2; dx++) code.setPattern(x + dx, y + dy, max(abs(dx), abs(dy)) !== 1);
  }
}

/** The coordinates, of both axes, at which alignment patterns stand (annex E). */
function alignmentPositions(version: i32, size: i32): i32[] {
  const positions: i32[] = [];
  if (version === 1) return positions;
  const count = version / 7 + 2;
  const step = ((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  for (let i = count - 2; i >= 0; i--) positions.push(size - 7 - i * step);
  positions.unshift(6);
  return positions;
}

/** Level and mask with their own error correction, twice (section 7.9). */
export function drawFormat(code: Matrix, level: i32, mask: i32): void {
  // L, M, Q and H are 1, 0, 3 and 2 here.
  const data = ((level ^ 1) << 3) | mask;
  const bits = ((data << 10) | remainder(data, 10, 0x537)) ^ 0x5412;
  const size = code.size;
  for (let i = 0; i < 15; i++) {
    const dark = ((bits >> i) & 1) === 1;
    // Beside the upper left finder, around the timing patterns.
    if (i < 6) code.setPattern(8, i, dark);
    else if (i < 8) code.setPattern(8, i + 1, dark);
    else if (i === 8) code.setPattern(7, 8, dark);
    else code.setPattern(14 - i, 8, dark);
    // Once more, beside the two other finders.
    if (i < 8) code.setPattern(size - 1 - i, 8, dark);
    else code.setPattern(8, size - 15 + i, dark);
  }
  code.setPattern(8, size - 8, true);
}

/** The version with its error correction, twice (section 7.10). */
function drawVersion(code: Matrix, version: i32): void {
  const bits = (version << 12) | remainder(version, 12, 0x1f25);
  for (let i = 0; i < 18; i++) {
    const dark = ((bits >> i) & 1) === 1;
    const far = code.size - 11 + (i % 3);
    code.setPattern(far, i / 3, dark);
    code.setPattern(i / 3, far, dark);
  }
}

/** The remainder of a value, followed by `length` zero bits, divided by a polynomial. */
function remainder(value: i32, length: i32, polynomial: i32): i32 {
  for (let i = 0; i < length; i++) value = (value << 1) ^ ((value >> (length - 1)) * polynomial);
  return value & ((1 << length) - 1);
}

/** The data in its zigzag: pairs of columns from the right, up and down in turn (section 7.7.3). */
export function drawCodewords(code: Matrix, codewords: Uint8Array): void {
  const size = code.size;
  const bits = codewords.length * 8;
  let bit = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const upward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step++) {
      const y = upward ? size - 1 - step : step;
      for (let x = right; x > right - 2; x--) {
        if (code.isPattern(x, y) || bit >= bits) continue;
        code.setData(x, y, ((codewords[bit >> 3] >> <u8>(7 - (bit & 7))) & 1) === 1);
        bit++;
      }
    }
  }
}

/** Inverts the data where the mask says so (table 10). */
export function applyMask(code: Matrix, mask: i32): void {
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (!code.isPattern(x, y) && isMasked(mask, x, y)) code.invert(x, y);
    }
  }
}

function isMasked(mask: i32, x: i32, y: i32): bool {
  switch (mask) {
    case 0:
      return (x + y) % 2 === 0;
    case 1:
      return y % 2 === 0;
    case 2:
      return x % 3 === 0;
    case 3:
      return (x + y) % 3 === 0;
    case 4:
      return (x / 3 + y / 2) % 2 === 0;
    case 5:
      return ((x * y) % 2) + ((x * y) % 3) === 0;
    case 6:
      return (((x * y) % 2) + ((x * y) % 3)) % 2 === 0;
    default:
      return (((x + y) % 2) + ((x * y) % 3)) % 2 === 0;
  }
}
