// FNV-1a over 64 KiB: a loop whose turns depend on one another.

const text = new StaticArray<u8>(65536);

export function run(rounds: i32): f64 {
  for (let i = 0; i < 65536; i++) unchecked((text[i] = (i * 7) as u8));
  let hash: u32 = 2166136261;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 65536; i++) hash = (hash ^ unchecked(text[i])) * 16777619;
  }
  return hash;
}
