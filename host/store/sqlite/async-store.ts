// Asynchronous calls in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { AsyncAnswer, AsyncCall, AsyncRequest, AsyncState } from "../../async-call.ts";
import type { AsyncFilter, AsyncStore } from "../async-store.ts";
import type { Cause } from "../cause.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const selected = `SELECT i.*, i.rowid AS place, d.state AS delivery_state, d.attempts AS delivery_attempts,
  d.fault_json AS delivery_fault FROM invocations i LEFT JOIN deliveries d ON d.id = i.delivery`;
const stateColumn = `CASE WHEN i.answer_json IS NOT NULL THEN 'succeeded' WHEN d.state = 'ready' THEN 'queued'
  WHEN d.state = 'leased' THEN 'running' ELSE 'failed' END`;

export class SqliteAsyncStore implements AsyncStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  get(id: string): AsyncCall | null {
    const row = this.#sql.get(`${selected} WHERE i.id = ?`, id);
    return row === undefined ? null : toCall(row);
  }

  list({ function: name, state }: AsyncFilter, after: string | null, limit: number): AsyncCall[] {
    return this.#sql
      .all(
        `${selected} WHERE (?1 IS NULL OR i.function = ?1) AND (?2 IS NULL OR ${stateColumn} = ?2)
           AND (?3 IS NULL OR i.rowid > (SELECT rowid FROM invocations WHERE id = ?3)) ORDER BY i.rowid LIMIT ?4`,
        name,
        state,
        after,
        limit,
      )
      .map(toCall);
  }

  nextExpiryMs(): number | null {
    const sql = "SELECT min(expires_at_ms) AS next FROM invocations WHERE expires_at_ms IS NOT NULL";
    const next = this.#sql.get(sql)?.["next"];
    return typeof next === "number" ? next : null;
  }

  accept(
    request: AsyncRequest,
    body: Uint8Array,
    times: { readonly keepMs: number; readonly maxAgeMs: number },
    cause: Cause,
  ): ReturnType<AsyncStore["accept"]> {
    return this.#writer.write("async", "accept", request, body, times, cause);
  }

  remove(id: string): Promise<number | null> {
    return this.#writer.write("async", "remove", id);
  }

  expire(max: number): ReturnType<AsyncStore["expire"]> {
    return this.#writer.write("async", "expire", max);
  }
}

function toCall(row: Row): AsyncCall {
  const answer = toAnswer(row);
  const fault = row["delivery_fault"] ?? row["fault_json"];
  return {
    id: String(row["id"]),
    function: String(row["function"]),
    state: stateOf(answer, row["delivery_state"]),
    attempts: Number(row["delivery_attempts"] ?? row["attempts"]),
    createdAtMs: Number(row["created_at_ms"]),
    finishedAtMs: numberOrNull(row["finished_at_ms"]),
    expiresAtMs: numberOrNull(row["expires_at_ms"]),
    answer,
    fault: typeof fault === "string" ? JSON.parse(fault) : null,
  };
}

function stateOf(answer: AsyncAnswer | null, delivery: unknown): AsyncState {
  if (answer !== null) return "succeeded";
  if (delivery === "ready") return "queued";
  return delivery === "leased" ? "running" : "failed";
}

function toAnswer(row: Row): AsyncAnswer | null {
  const head = row["answer_json"];
  if (typeof head !== "string") return null;
  return { ...JSON.parse(head), body: row["answer"] as Uint8Array };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
