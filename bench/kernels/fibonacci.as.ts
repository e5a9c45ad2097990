// Doubly recursive Fibonacci: calls and nothing else.

function fibonacci(n: i32): i32 {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export function run(rounds: i32): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++) sum += fibonacci(24 + (round & 1));
  return sum;
}
