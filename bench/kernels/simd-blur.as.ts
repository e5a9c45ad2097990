// A box blur of a picture of 256 by 256 bytes, sixteen at a time.

const side = 256;
const source = new StaticArray<u8>(side * side);
const target = new StaticArray<u8>(side * side);

export function run(rounds: i32): f64 {
  for (let i = 0; i < side * side; i++) unchecked((source[i] = (i * 13) as u8));
  let from = changetype<usize>(source);
  let to = changetype<usize>(target);
  for (let round = 0; round < rounds; round++) {
    for (let row = 1; row < side - 1; row++) {
      const line = from + row * side;
      for (let column = 0; column < side; column += 16) {
        const at = line + column;
        const upright = i8x16.avgr_u(v128.load(at - side), v128.load(at + side));
        const across = i8x16.avgr_u(v128.load(at - 1), v128.load(at + 1));
        v128.store(to + row * side + column, i8x16.avgr_u(upright, across));
      }
    }
    const kept = from;
    from = to;
    to = kept;
  }
  return load<u32>(from + 30000);
}
