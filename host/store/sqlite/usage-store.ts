// Metering in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { UsageBatch, UsageGap } from "../../usage.ts";
import type { UsageColumn, UsageFilter, UsageStore, UsageSum } from "../usage-store.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const figures = `sum(calls) AS calls, sum(cpu_us) AS cpu_us, sum(wall_us) AS wall_us, sum(wait_us) AS wait_us,
  sum(page_ms) AS page_ms, sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out, sum(host_calls) AS host_calls`;

export class SqliteUsageStore implements UsageStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  hours(fromMs: number, toMs: number): number[] {
    return this.#sql
      .all(
        "SELECT hour_ms FROM usage_hours WHERE hour_ms >= ? AND hour_ms < ? ORDER BY hour_ms",
        fromMs,
        toMs,
      )
      .map((row) => Number(row["hour_ms"]));
  }

  ofHour(hourMs: number, columns: readonly UsageColumn[], { function: name }: UsageFilter): UsageSum[] {
    const group = columns.length === 0 ? "" : `GROUP BY ${columns.join(", ")}`;
    const shown = [...columns, figures].join(", ");
    const sql = `SELECT ${shown} FROM usage WHERE hour_ms = ?1`;
    const rows =
      name === null
        ? this.#sql.all(`${sql} ${group}`, hourMs)
        : this.#sql.all(`${sql} AND function = ?2 ${group}`, hourMs, name);
    // Without groups there is a row of nulls where there is nothing.
    return rows.filter((row) => row["calls"] !== null).map(toSum);
  }

  gaps(fromMs: number, toMs: number): UsageGap[] {
    return this.#sql
      .all(
        "SELECT from_ms, to_ms FROM usage_gaps WHERE to_ms >= ? AND from_ms < ? ORDER BY rowid",
        fromMs,
        toMs,
      )
      .map((row) => ({ fromMs: Number(row["from_ms"]), toMs: Number(row["to_ms"]) }));
  }

  beginRun(run: string, atMs: number): Promise<UsageGap | null> {
    return this.#writer.write("usage", "beginRun", run, atMs);
  }

  add(batch: UsageBatch): Promise<void> {
    return this.#writer.write("usage", "add", batch);
  }

  endRun(run: string): Promise<void> {
    return this.#writer.write("usage", "endRun", run);
  }
}

function toSum(row: Row): UsageSum {
  return {
    ...(row["function"] !== undefined && { function: String(row["function"]) }),
    ...(row["version"] !== undefined && { version: Number(row["version"]) }),
    ...(row["alias"] !== undefined && { alias: String(row["alias"]) }),
    ...(row["outcome"] !== undefined && { outcome: String(row["outcome"]) }),
    calls: Number(row["calls"]),
    cpuUs: Number(row["cpu_us"]),
    wallUs: Number(row["wall_us"]),
    waitUs: Number(row["wait_us"]),
    pageMs: Number(row["page_ms"]),
    bytesIn: Number(row["bytes_in"]),
    bytesOut: Number(row["bytes_out"]),
    hostCalls: Number(row["host_calls"]),
  };
}
