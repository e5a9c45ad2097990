// Follows links through 1 MiB of memory: bound by memory, not by instructions.

const length = 262144;
const links = new StaticArray<u32>(length);

export function run(rounds: i32): f64 {
  for (let i = 0; i < length; i++) unchecked((links[i] = (i * 5 + 12345) & (length - 1)));
  let at: u32 = 0;
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++) {
    for (let step = 0; step < 100000; step++) at = unchecked(links[at]);
    sum += at;
  }
  return sum;
}
