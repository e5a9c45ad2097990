// How hard a masked code is to read: less is better (ISO/IEC 18004, section 7.8.3).

import { Matrix } from "./matrix";

/** The points of all four rules together. */
export function penalty(code: Matrix): i32 {
  return lines(code) + squares(code) + balance(code);
}

/** Runs of one colour, and what could be taken for a finder, in every row and column. */
function lines(code: Matrix): i32 {
  let points = 0;
  for (let line = 0; line < code.size; line++) {
    points += linePoints(code, line, true);
    points += linePoints(code, line, false);
  }
  return points;
}

function linePoints(code: Matrix, line: i32, isRow: bool): i32 {
  let points = 0;
  let run = 0;
  let runDark = false;
  // The last eleven modules, the newest in the lowest bit.
  let recent = 0;
  for (let i = 0; i < code.size; i++) {
    const dark = isRow ? code.isDark(i, line) : code.isDark(line, i);
    run = i > 0 && dark === runDark ? run + 1 : 1;
    runDark = dark;
    // Five in a row are 3 points, each further one 1.
    if (run === 5) points += 3;
    else if (run > 5) points++;
    recent = ((recent << 1) | (dark ? 1 : 0)) & 0x7ff;
    // 1011101 with four light modules before or after it.
    if (i >= 10 && (recent === 0b00001011101 || recent === 0b10111010000)) points += 40;
  }
  return points;
}

/** Squares of two by two modules of one colour. */
function squares(code: Matrix): i32 {
  let points = 0;
  for (let y = 0; y + 1 < code.size; y++) {
    for (let x = 0; x + 1 < code.size; x++) {
      const dark = code.isDark(x, y);
      const same = dark === code.isDark(x + 1, y) && dark === code.isDark(x, y + 1);
      if (same && dark === code.isDark(x + 1, y + 1)) points += 3;
    }
  }
  return points;
}

/** Ten points for each five per cent that dark modules are away from half. */
function balance(code: Matrix): i32 {
  let dark = 0;
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) dark += code.isDark(x, y) ? 1 : 0;
  }
  const total = code.size * code.size;
  return (abs(dark * 20 - total * 10) / total) * 10;
}
