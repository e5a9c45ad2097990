// The Mandelbrot set, 64 by 64 points, 200 turns at most: float arithmetic in a short loop.

export function run(rounds: i32): f64 {
  let inside = 0;
  for (let round = 0; round < rounds; round++) {
    for (let row = 0; row < 64; row++) {
      for (let column = 0; column < 64; column++) {
        const cx = -2 + (column as f64) * 0.046875;
        const cy = -1.25 + (row as f64) * 0.0390625;
        let x: f64 = 0;
        let y: f64 = 0;
        let turn = 0;
        while (turn < 200 && x * x + y * y < 4) {
          const next = x * x - y * y + cx;
          y = 2 * x * y + cy;
          x = next;
          turn++;
        }
        inside += turn;
      }
    }
  }
  return inside;
}
