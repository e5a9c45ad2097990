// Quicksort of 20,000 pseudo-random numbers: recursion around short loops.

const length = 20000;
const numbers = new StaticArray<i32>(length);

function sort(from: i32, to: i32): void {
  let low = from;
  let high = to;
  const pivot = unchecked(numbers[(from + to) >> 1]);
  while (low <= high) {
    while (unchecked(numbers[low]) < pivot) low++;
    while (unchecked(numbers[high]) > pivot) high--;
    if (low > high) break;
    const kept = unchecked(numbers[low]);
    unchecked((numbers[low++] = numbers[high]));
    unchecked((numbers[high--] = kept));
  }
  if (from < high) sort(from, high);
  if (low < to) sort(low, to);
}

export function run(rounds: i32): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++) {
    let state: u32 = 12345 + round;
    for (let i = 0; i < length; i++) {
      state = state * 1664525 + 1013904223;
      unchecked((numbers[i] = (state >> 8) as i32));
    }
    sort(0, length - 1);
    sum += numbers[length >> 1];
  }
  return sum;
}
