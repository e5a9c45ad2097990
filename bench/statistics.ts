// Medians and percentiles of samples, and one way of printing a result: a table, or JSON by --json.

export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1));
  return sorted[index] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

export function print(title: string, rows: readonly Record<string, string | number>[]): void {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ title, rows })}\n`);
    return;
  }
  process.stdout.write(`\n${title} (Node ${process.version}, ${process.platform}-${process.arch})\n`);
  console.table(Object.fromEntries(rows.map(({ server, ...rest }) => [server, rest])));
}
