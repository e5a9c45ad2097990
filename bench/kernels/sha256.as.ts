// SHA-256 of 64 KiB: integer arithmetic in loops of fixed length.

const constants: StaticArray<u32> = new StaticArray<u32>(64);
const schedule = new StaticArray<u32>(64);
const state = new StaticArray<u32>(8);
const message = new StaticArray<u8>(65536);

function block(offset: i32): void {
  for (let i = 0; i < 16; i++) {
    unchecked((schedule[i] = bswap<u32>(load<u32>(changetype<usize>(message) + offset + i * 4))));
  }
  for (let i = 16; i < 64; i++) {
    const w15 = unchecked(schedule[i - 15]);
    const w2 = unchecked(schedule[i - 2]);
    const s0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3);
    const s1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10);
    unchecked((schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1));
  }
  let a = unchecked(state[0]);
  let b = unchecked(state[1]);
  let c = unchecked(state[2]);
  let d = unchecked(state[3]);
  let e = unchecked(state[4]);
  let f = unchecked(state[5]);
  let g = unchecked(state[6]);
  let h = unchecked(state[7]);
  for (let i = 0; i < 64; i++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(constants[i]) + unchecked(schedule[i]);
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  unchecked((state[0] += a));
  unchecked((state[1] += b));
  unchecked((state[2] += c));
  unchecked((state[3] += d));
  unchecked((state[4] += e));
  unchecked((state[5] += f));
  unchecked((state[6] += g));
  unchecked((state[7] += h));
}

export function run(rounds: i32): f64 {
  for (let i = 0; i < 64; i++) unchecked((constants[i] = (i as u32) * 2654435761 + 0x428a2f98));
  for (let i = 0; i < 65536; i++) unchecked((message[i] = (i * 31) as u8));
  for (let i = 0; i < 8; i++) unchecked((state[i] = (i as u32) * 0x9e3779b9));
  for (let round = 0; round < rounds; round++) {
    for (let offset = 0; offset < 65536; offset += 64) block(offset);
  }
  return state[0];
}
