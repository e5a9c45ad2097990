// Copies blocks of 16 to 4,096 bytes with memory.copy: bulk operations in a loop.

const block = new StaticArray<u8>(8192);

export function run(rounds: i32): f64 {
  const start = changetype<usize>(block);
  for (let i = 0; i < 8192; i++) unchecked((block[i] = i as u8));
  for (let round = 0; round < rounds * 200; round++) {
    for (let size = 16; size <= 4096; size <<= 1) memory.copy(start + 4096, start + (round & 15), size);
  }
  return load<u32>(start + 4200);
}
