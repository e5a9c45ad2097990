// Asynchronous calls in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { AsyncAnswer, AsyncCall, AsyncRequest, AsyncState, ListedCall } from "../../async-call.ts";
import type { AsyncFilter, AsyncStore } from "../async-store.ts";
import type { Cause } from "../cause.ts";
import { namespaceIn } from "./namespace-use.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const from = "FROM invocations i LEFT JOIN deliveries d ON d.id = i.delivery";
const columns = `i.id, i.function, i.attempts, i.created_at_ms, i.finished_at_ms, i.expires_at_ms, i.fault_json,
  d.attempts AS delivery_attempts, d.fault_json AS delivery_fault`;
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
    const row = this.#sql.get(
      `SELECT ${columns}, ${stateColumn} AS state, i.answer_json, i.answer ${from} WHERE i.id = ?`,
      id,
    );
    return row === undefined ? null : { ...toHead(row), answer: toAnswer(row) };
  }

  list({ namespace, function: name, state }: AsyncFilter, after: number, limit: number): ListedCall[] {
    return this.#sql
      .all(
        `SELECT ${columns}, ${stateColumn} AS state, i.rowid AS place ${from} WHERE (?1 IS NULL OR i.function = ?1) AND (?2 IS NULL OR ${stateColumn} = ?2)
           AND ${namespaceIn("i.function")} = ?3 AND i.rowid > ?4 ORDER BY i.rowid LIMIT ?5`,
        name,
        state,
        namespace,
        after,
        limit,
      )
      .map((row) => ({ ...toHead(row), place: Number(row["place"]) }));
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

function toHead(row: Row): Omit<AsyncCall, "answer"> {
  const fault = row["delivery_fault"] ?? row["fault_json"];
  return {
    id: String(row["id"]),
    function: String(row["function"]),
    state: String(row["state"]) as AsyncState,
    attempts: Number(row["delivery_attempts"] ?? row["attempts"]),
    createdAtMs: Number(row["created_at_ms"]),
    finishedAtMs: numberOrNull(row["finished_at_ms"]),
    expiresAtMs: numberOrNull(row["expires_at_ms"]),
    fault: typeof fault === "string" ? JSON.parse(fault) : null,
  };
}

function toAnswer(row: Row): AsyncAnswer | null {
  const head = row["answer_json"];
  if (typeof head !== "string") return null;
  return { ...JSON.parse(head), body: row["answer"] as Uint8Array };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
