// Ackermann's function: recursion that is deep and returns a long way.

function ackermann(m: i32, n: i32): i32 {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

export function run(rounds: i32): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++) sum += ackermann(2, 60 + (round & 7)) + ackermann(3, 5);
  return sum;
}
