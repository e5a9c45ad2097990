// Places eight queens in all ways: recursion with a loop in each call.

const size = 8;
const columns = new StaticArray<i32>(size);
let solutions = 0;

function isFree(row: i32, column: i32): bool {
  for (let above = 0; above < row; above++) {
    const taken = unchecked(columns[above]);
    if (taken == column || taken - column == above - row || taken - column == row - above) return false;
  }
  return true;
}

function place(row: i32): void {
  if (row == size) {
    solutions++;
    return;
  }
  for (let column = 0; column < size; column++) {
    if (!isFree(row, column)) continue;
    unchecked((columns[row] = column));
    place(row + 1);
  }
}

export function run(rounds: i32): f64 {
  solutions = 0;
  for (let round = 0; round < rounds; round++) place(0);
  return solutions;
}
