// Counts words in a map and joins strings: a language's runtime, its allocator and collector at work.

export function run(rounds: i32): f64 {
  let total = 0;
  for (let round = 0; round < rounds; round++) {
    const counts = new Map<string, i32>();
    for (let i = 0; i < 400; i++) {
      const word = "w" + ((i * i + round) % 37).toString();
      counts.set(word, (counts.has(word) ? counts.get(word) : 0) + 1);
    }
    const keys = counts.keys();
    for (let i = 0; i < keys.length; i++) total += counts.get(keys[i]) * keys[i].length;
  }
  return total;
}
