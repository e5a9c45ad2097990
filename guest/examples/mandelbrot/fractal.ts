// The Mandelbrot set itself: how many steps each point of a region takes to leave.

/** The part of the plane to draw; what it begins with shows the whole set. */
export class View {
  width: i32 = 640;
  height: i32 = 480;
  x: f64 = -0.65;
  y: f64 = 0;
  zoom: f64 = 1;
  iterations: i32 = 250;
}

/** One byte per pixel, row by row: 0 inside the set, otherwise a colour of the palette. */
export function drawMandelbrot(view: View): Uint8Array {
  const pixels = new Uint8Array(view.width * view.height);
  // At zoom 1 the shorter side spans 2.6.
  const step = 2.6 / view.zoom / <f64>min(view.width, view.height);
  const left = view.x - (<f64>(view.width - 1) * step) / 2;
  const top = view.y + (<f64>(view.height - 1) * step) / 2;
  let at = 0;
  for (let row = 0; row < view.height; row++) {
    const y = top - <f64>row * step;
    for (let column = 0; column < view.width; column++) {
      pixels[at++] = colorOf(left + <f64>column * step, y, view.iterations);
    }
  }
  return pixels;
}

function colorOf(x: f64, y: f64, iterations: i32): u8 {
  if (isInside(x, y)) return 0;
  let re: f64 = 0;
  let im: f64 = 0;
  for (let n = 0; n < iterations; n++) {
    const re2 = re * re;
    const im2 = im * im;
    // Leaving at a distance of 16 rather than 2 makes the smooth count below smoother.
    if (re2 + im2 > 256) return <u8>(1 + (smooth(n, re2 + im2) % 255));
    im = 2 * re * im + y;
    re = re2 - im2 + x;
  }
  return 0;
}

/** The step count with its fraction, in eighths, so that colours run into each other. */
function smooth(n: i32, distance2: f64): i32 {
  const fraction = Math.log(Math.log(distance2) / 2 / Math.LN2) / Math.LN2;
  return max<i32>(0, <i32>((<f64>n + 3 - fraction) * 8));
}

/** The two largest parts of the set, a heart and a disc, have formulas: no need to iterate there. */
function isInside(x: f64, y: f64): bool {
  const y2 = y * y;
  const q = (x - 0.25) * (x - 0.25) + y2;
  return q * (q + x - 0.25) <= 0.25 * y2 || (x + 1) * (x + 1) + y2 <= 0.0625;
}
