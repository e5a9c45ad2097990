// Calls through a table: one of four functions for each item of a list.

type Shape = (a: f64, b: f64) => f64;

const shapes: StaticArray<Shape> = [
  (a: f64, b: f64): f64 => a * b,
  (a: f64, b: f64): f64 => a * b * 0.5,
  (a: f64, b: f64): f64 => a * a * 3.14159 + b,
  (a: f64, b: f64): f64 => (a + b) * 2,
];

export function run(rounds: i32): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds * 1000; round++) {
    for (let i = 0; i < 16; i++) sum += unchecked(shapes[(i * 7 + round) & 3])(i as f64, 2.5);
  }
  return sum;
}
