// The event queue and triggers in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { Delivery, DeliveryState, HostEvent, ListedDelivery, TriggerKey } from "../../event.ts";
import type { Trigger, TriggerSettings } from "../../trigger.ts";
import type { AttemptEnd, DeliveryFilter, DueDelivery, EventStore, Published } from "../event-store.ts";
import { eventDigest } from "./event-writes.ts";
import { namespaceIn } from "./namespace-use.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

/** One behind another of its order key (`event-writes.ts`) waits as others do. */
const shownState = "CASE d.state WHEN 'behind' THEN 'ready' ELSE d.state END";
const columns = `d.id, d.function, d.trigger, ${shownState} AS state, d.attempts, d.due_at_ms, d.expires_at_ms,
  d.fault_json, e.attributes_json, e.depth, e.created_at_ms`;
const from = "FROM deliveries d JOIN events e ON e.id = d.event";
const joined = `SELECT ${columns}, e.data, e.digest ${from}`;
/** Of those with an order key the first alone, also where an earlier one was redriven. */
const isFirst = `(d.order_key IS NULL OR NOT EXISTS (
  SELECT 1 FROM deliveries b WHERE b.function = ?1 AND b.trigger = ?2
    AND b.order_key = d.order_key AND b.id < d.id AND b.state <> 'dead'))`;

export class SqliteEventStore implements EventStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  triggers(functionName: string): Trigger[] {
    return this.#sql
      .all("SELECT * FROM triggers WHERE function = ? ORDER BY name", functionName)
      .map(toTrigger);
  }

  trigger({ function: name, trigger }: TriggerKey): Trigger | null {
    const row = this.#sql.get("SELECT * FROM triggers WHERE function = ? AND name = ?", name, trigger);
    return row === undefined ? null : toTrigger(row);
  }

  schedules(): Trigger[] {
    return this.#sql.all("SELECT * FROM triggers WHERE kind = 'schedule'").map(toTrigger);
  }

  count(): number {
    return Number(this.#sql.get("SELECT count(*) AS deliveries FROM deliveries")?.["deliveries"]);
  }

  get(id: number): Delivery | null {
    const row = this.#sql.get(`${joined} WHERE d.id = ?`, id);
    return row === undefined ? null : toDelivery(row);
  }

  list(
    { namespace, state, function: name, trigger }: DeliveryFilter,
    after: number,
    limit: number,
  ): ListedDelivery[] {
    return this.#sql
      .all(
        `SELECT ${columns}, length(e.data) AS bytes ${from} WHERE (?1 IS NULL OR ${shownState} = ?1) AND (?2 IS NULL OR d.function = ?2)
           AND (?3 IS NULL OR d.trigger = ?3) AND ${namespaceIn("d.function")} = ?4 AND d.id > ?5
         ORDER BY d.id LIMIT ?6`,
        state,
        name,
        trigger,
        namespace,
        after,
        limit,
      )
      .map((row) => {
        const { attributes, depth } = eventHead(row);
        return { ...deliveryHead(row), event: { attributes, depth, bytes: Number(row["bytes"]) } };
      });
  }

  waiting(): TriggerKey[] {
    return this.#sql
      .all("SELECT DISTINCT function, trigger FROM deliveries WHERE state = 'ready'")
      .map((row) => ({ function: String(row["function"]), trigger: String(row["trigger"]) }));
  }

  due({ function: name, trigger }: TriggerKey, nowMs: number, limit: number): DueDelivery[] {
    return this.#sql
      .all(
        `${joined} WHERE d.function = ?1 AND d.trigger = ?2 AND d.state = 'ready' AND d.due_at_ms <= ?3
           AND ${isFirst} ORDER BY d.due_at_ms, d.id LIMIT ?4`,
        name,
        trigger,
        nowMs,
        limit,
      )
      .map((row) => ({
        ...toDelivery(row),
        expiresAtMs: Number(row["expires_at_ms"]),
        intact:
          Buffer.compare(
            row["digest"] as Uint8Array,
            eventDigest(String(row["attributes_json"]), row["data"] as Uint8Array),
          ) === 0,
      }));
  }

  nextDueMs({ function: name, trigger }: TriggerKey): number | null {
    const next = this.#sql.get(
      `SELECT d.due_at_ms AS next FROM deliveries d WHERE d.function = ?1 AND d.trigger = ?2
         AND d.state = 'ready' AND ${isFirst} ORDER BY d.due_at_ms LIMIT 1`,
      name,
      trigger,
    )?.["next"];
    return typeof next === "number" ? next : null;
  }

  putTrigger(key: TriggerKey, settings: TriggerSettings): Promise<boolean> {
    return this.#writer.write("events", "putTrigger", key, settings);
  }

  removeTrigger(key: TriggerKey): Promise<boolean> {
    return this.#writer.write("events", "removeTrigger", key);
  }

  publish(topic: string, events: readonly HostEvent[], room: number): Promise<Published> {
    return this.#writer.write("events", "publish", topic, events, room);
  }

  fire(
    triggerId: number,
    events: readonly { atMs: number; event: HostEvent }[],
    seenMs: number,
  ): Promise<Published> {
    return this.#writer.write("events", "fire", triggerId, events, seenMs);
  }

  clockSetBack(byMs: number): Promise<void> {
    return this.#writer.write("events", "clockSetBack", byMs);
  }

  lease(ids: readonly number[]): Promise<void> {
    return this.#writer.write("events", "lease", ids);
  }

  end(ends: readonly AttemptEnd[]): ReturnType<EventStore["end"]> {
    return this.#writer.write("events", "end", ends);
  }

  redrive(filter: Omit<DeliveryFilter, "state"> & { readonly id: number | null }): Promise<Published> {
    return this.#writer.write("events", "redrive", filter);
  }

  drop(id: number): Promise<boolean> {
    return this.#writer.write("events", "drop", id);
  }
}

function toTrigger(row: Row): Trigger {
  return {
    id: Number(row["id"]),
    function: String(row["function"]),
    name: String(row["name"]),
    settings: JSON.parse(String(row["settings_json"])) as TriggerSettings,
    createdAtMs: Number(row["created_at_ms"]),
    seenMs: Number(row["seen_ms"]),
  };
}

function toDelivery(row: Row): Delivery {
  return { ...deliveryHead(row), event: { ...eventHead(row), data: row["data"] as Uint8Array } };
}

function eventHead(row: Row): Omit<HostEvent, "data"> {
  return { attributes: JSON.parse(String(row["attributes_json"])), depth: Number(row["depth"]) };
}

function deliveryHead(row: Row): Omit<Delivery, "event"> {
  const fault = row["fault_json"];
  return {
    id: Number(row["id"]),
    function: String(row["function"]),
    trigger: String(row["trigger"]),
    state: String(row["state"]) as DeliveryState,
    attempts: Number(row["attempts"]),
    dueAtMs: Number(row["due_at_ms"]),
    createdAtMs: Number(row["created_at_ms"]),
    fault: typeof fault === "string" ? JSON.parse(fault) : null,
  };
}
