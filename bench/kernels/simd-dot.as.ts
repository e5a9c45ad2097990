// Scalar product of two vectors of 16,384 f32, four at a time.

const length = 16384;
const left = new StaticArray<f32>(length);
const right = new StaticArray<f32>(length);

export function run(rounds: i32): f64 {
  for (let i = 0; i < length; i++) {
    unchecked((left[i] = ((i & 15) as f32) * 0.25));
    unchecked((right[i] = ((i & 7) as f32) - 3.5));
  }
  let sum: v128 = f32x4.splat(0);
  for (let round = 0; round < rounds; round++) {
    let one = changetype<usize>(left);
    let other = changetype<usize>(right);
    for (const end = one + length * 4; one < end; one += 16) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(one), v128.load(other)));
      other += 16;
    }
  }
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 3);
}
