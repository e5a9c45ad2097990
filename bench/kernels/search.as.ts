// Finds a word in a text by comparing at every place: short inner loops that end early.

const length = 100000;
const text = new StaticArray<u8>(length);
const word = new StaticArray<u8>(12);

function matches(at: i32): bool {
  for (let i = 0; i < 12; i++) {
    if (unchecked(text[at + i]) != unchecked(word[i])) return false;
  }
  return true;
}

export function run(rounds: i32): f64 {
  let state: u32 = 1;
  for (let i = 0; i < length; i++) {
    state = state * 1664525 + 1013904223;
    unchecked((text[i] = (97 + ((state >> 24) & 3)) as u8));
  }
  for (let i = 0; i < 12; i++) unchecked((word[i] = text[length - 12 + i]));
  let found = 0;
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at <= length - 12; at++) if (matches(at)) found += at;
  }
  return found;
}
