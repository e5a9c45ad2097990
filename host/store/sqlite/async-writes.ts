// The changes of asynchronous calls besides those of the event queue, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { type AsyncRequest, asyncTrigger } from "../../async-call.ts";
import { HostError } from "../../errors.ts";
import type { Cause, Told } from "../cause.ts";
import type { EventWrites } from "./event-writes.ts";
import { StatementCache } from "./statement-cache.ts";

export class AsyncWrites {
  readonly #sql: StatementCache;
  readonly #events: EventWrites;

  constructor(database: DatabaseSync, events: EventWrites) {
    this.#sql = new StatementCache(database);
    this.#events = events;
  }

  accept(
    request: AsyncRequest,
    body: Uint8Array,
    { keepMs, maxAgeMs }: { readonly keepMs: number; readonly maxAgeMs: number },
    { depth, room }: Cause,
  ): Told {
    if (room < 1) {
      throw new HostError("queue_full", "The host holds as many events and calls as it may", {
        retryAfterS: 5,
      });
    }
    const event = { attributes: { id: request.id, request: JSON.stringify(request) }, data: body, depth };
    const key = { function: request.function, trigger: asyncTrigger };
    const published = this.#events.deliver([{ ...key, orderKey: () => null, maxAgeMs }], [event]);
    this.#sql.run(
      `INSERT INTO invocations (id, function, created_at_ms, delivery, keep_ms)
       VALUES (?, ?, ?, last_insert_rowid(), ?)`,
      request.id,
      request.function,
      Date.now(),
      keepMs,
    );
    return { published };
  }

  remove(id: string): number | null {
    const row = this.#sql.get("SELECT delivery FROM invocations WHERE id = ?", id);
    if (row === undefined) return null;
    const delivery = row["delivery"];
    const dropped = typeof delivery === "number" && this.#events.drop(delivery);
    this.#sql.run("DELETE FROM invocations WHERE id = ?", id);
    return dropped ? 1 : 0;
  }

  expire(max: number): { removed: number; deliveries: number } {
    const rows = this.#sql.all(
      "SELECT id FROM invocations WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
      Date.now(),
      max,
    );
    let deliveries = 0;
    for (const { id } of rows) deliveries += this.remove(String(id)) ?? 0;
    return { removed: rows.length, deliveries };
  }
}
