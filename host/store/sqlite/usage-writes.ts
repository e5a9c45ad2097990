// The changes of metering, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { limits } from "../../limits.ts";
import type { UsageBatch, UsageGap, UsageRow } from "../../usage.ts";
import { StatementCache } from "./statement-cache.ts";

export class UsageWrites {
  readonly #sql: StatementCache;

  constructor(database: DatabaseSync) {
    this.#sql = new StatementCache(database);
  }

  beginRun(run: string, atMs: number): UsageGap | null {
    // A clock that was set back in between would have the gap end before it began.
    const gap = this.#sql.get(
      `INSERT INTO usage_gaps (from_ms, to_ms)
       SELECT min(stored_at_ms, ?1), max(stored_at_ms, ?1) FROM usage_runs RETURNING from_ms, to_ms`,
      atMs,
    );
    this.#sql.run("DELETE FROM usage_runs");
    this.#sql.run(
      `DELETE FROM usage_gaps WHERE rowid NOT IN
       (SELECT rowid FROM usage_gaps ORDER BY rowid DESC LIMIT ?)`,
      limits.usageGapsMax,
    );
    this.#sql.run("INSERT INTO usage_runs (run, sequence, stored_at_ms) VALUES (?, 0, ?)", run, atMs);
    return gap === undefined ? null : { fromMs: Number(gap["from_ms"]), toMs: Number(gap["to_ms"]) };
  }

  add({ run, sequence, atMs, hourMs, rows }: UsageBatch): void {
    const { changes } = this.#sql.run(
      "UPDATE usage_runs SET sequence = ?2, stored_at_ms = ?3 WHERE run = ?1 AND sequence = ?2 - 1",
      run,
      sequence,
      atMs,
    );
    // It was stored, and the word of that was lost.
    if (changes === 0) return;
    for (const row of rows) this.#addRow(hourMs, row);
    const hour = this.#sql.run("INSERT OR IGNORE INTO usage_hours (hour_ms) VALUES (?)", hourMs);
    if (hour.changes > 0) this.#removeOldest();
  }

  endRun(run: string): void {
    this.#sql.run("DELETE FROM usage_runs WHERE run = ?", run);
  }

  #addRow(hourMs: number, row: UsageRow): void {
    this.#sql.run(
      `INSERT INTO usage (hour_ms, function, version, alias, outcome,
         calls, cpu_us, wall_us, wait_us, page_ms, bytes_in, bytes_out, host_calls)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, cpu_us = cpu_us + excluded.cpu_us,
         wall_us = wall_us + excluded.wall_us, wait_us = wait_us + excluded.wait_us,
         page_ms = page_ms + excluded.page_ms, bytes_in = bytes_in + excluded.bytes_in,
         bytes_out = bytes_out + excluded.bytes_out, host_calls = host_calls + excluded.host_calls`,
      hourMs,
      row.function,
      row.version,
      row.alias,
      row.outcome,
      row.calls,
      row.cpuUs,
      row.wallUs,
      row.waitUs,
      row.pageMs,
      row.bytesIn,
      row.bytesOut,
      row.hostCalls,
    );
  }

  /** Counted, and not by their age: a clock that is set wrongly removes nothing. */
  #removeOldest(): void {
    const oldest = this.#sql.all(
      `SELECT hour_ms FROM usage_hours ORDER BY hour_ms DESC LIMIT -1 OFFSET ?`,
      limits.usageHoursMax,
    );
    for (const { hour_ms: hourMs } of oldest) {
      this.#sql.run("DELETE FROM usage WHERE hour_ms = ?", Number(hourMs));
      this.#sql.run("DELETE FROM usage_hours WHERE hour_ms = ?", Number(hourMs));
    }
  }
}
