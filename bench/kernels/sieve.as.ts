// The sieve of Eratosthenes: the tightest loop that writes memory.

const size = 50000;
const composite = new StaticArray<u8>(size);

export function run(rounds: i32): f64 {
  let primes = 0;
  for (let round = 0; round < rounds; round++) {
    composite.fill(0);
    for (let i = 2; i < size; i++) {
      if (unchecked(composite[i])) continue;
      primes++;
      for (let multiple = i * 2; multiple < size; multiple += i) unchecked((composite[multiple] = 1));
    }
  }
  return primes;
}
