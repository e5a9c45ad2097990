// Finds the known name that a mistyped one was probably meant to be. Pure; used for "did you mean".

/** Null where nothing is near: more than 40% of the letters differ and neither begins with the other. */
export function closestName(typed: string, known: readonly string[]): string | null {
  const wanted = typed.toLowerCase();
  const scored = known.map((name) => ({ name, distance: distanceTo(wanted, name.toLowerCase()) }));
  const best = scored.reduce((a, b) => (b.distance < a.distance ? b : a), { name: "", distance: Infinity });
  return best.distance <= Math.max(1, Math.floor(wanted.length * 0.4)) ? best.name : null;
}

function distanceTo(typed: string, name: string): number {
  // `timeout` for `timeoutMs`: the unit is what people leave away.
  if (typed.length >= 3 && (name.startsWith(typed) || typed.startsWith(name))) return 0.5;
  return editDistance(typed, name);
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
