// A byte code interpreter: one loop around a switch.

const program = new StaticArray<u8>(16);
const stack = new StaticArray<i32>(64);

export function run(rounds: i32): f64 {
  // counter = 3,000; do { sum = (sum ^ counter) * 3 + 1 } while (--counter)
  const text: u8[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let i = 0; i < text.length; i++) unchecked((program[i] = text[i]));
  let result: i32 = 0;
  for (let round = 0; round < rounds; round++) {
    let sum = round;
    let counter = 3000;
    let top = 0;
    let at = 0;
    let isRunning = true;
    while (isRunning) {
      switch (unchecked(program[at++])) {
        case 0:
          unchecked((stack[top++] = sum));
          break;
        case 1:
          unchecked((stack[top++] = counter));
          break;
        case 2:
          top--;
          unchecked((stack[top - 1] ^= stack[top]));
          break;
        case 3:
          unchecked((stack[top++] = 3));
          break;
        case 4:
          top--;
          unchecked((stack[top - 1] *= stack[top]));
          break;
        case 5:
          unchecked((stack[top++] = 1));
          break;
        case 6:
          top--;
          unchecked((stack[top - 1] += stack[top]));
          break;
        case 7:
          sum = unchecked(stack[--top]);
          break;
        case 8:
          if (--counter > 0) at = 0;
          break;
        default:
          isRunning = false;
      }
    }
    result ^= sum;
  }
  return result;
}
