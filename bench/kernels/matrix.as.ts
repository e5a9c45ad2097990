// Multiplication of two matrices of f64, 96 by 96, with bounds checked as the language does.

const size = 96;
const left = new Float64Array(size * size);
const right = new Float64Array(size * size);
const product = new Float64Array(size * size);

export function run(rounds: i32): f64 {
  for (let i = 0; i < size * size; i++) {
    left[i] = ((i % 13) as f64) * 0.5;
    right[i] = ((i % 7) as f64) - 3;
  }
  for (let round = 0; round < rounds; round++) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        let sum: f64 = 0;
        for (let k = 0; k < size; k++) sum += left[row * size + k] * right[k * size + column];
        product[row * size + column] = sum + ((round & 1) as f64);
      }
    }
  }
  let total: f64 = 0;
  for (let i = 0; i < size * size; i++) total += product[i];
  return total;
}
