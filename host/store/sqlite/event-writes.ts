// The changes of the event queue and of triggers, run by the writer thread. Other stores deliver through it
// too (`telling.ts`): a change and the event that tells of it are one transaction.

import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import type { HostEvent, TriggerKey } from "../../event.ts";
import { limits } from "../../limits.ts";
import { namespaceOf, qualifiedName } from "../../namespace.ts";
import { isFarAhead, sourceOf, type TriggerSettings } from "../../trigger.ts";
import type { Told } from "../cause.ts";
import type { AttemptEnd, AttemptOutcome, DeliveryFilter, Publication, Published } from "../event-store.ts";
import { namespaceIn } from "./namespace-use.ts";
import { type Row, StatementCache } from "./statement-cache.ts";

/** Whom an event is delivered to. */
type Recipient = TriggerKey & {
  readonly maxAgeMs: number;
  /** Events with the same key are delivered one after the other; null where any may be. */
  readonly orderKey: (event: HostEvent) => string | null;
};

export type Listener = Recipient & { readonly settings: TriggerSettings };

/** The longest that a delivery may have to wait for its next attempt, ms. */
const waitMsMax = 86_400_000;

export class EventWrites {
  readonly #sql: StatementCache;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#sql = new StatementCache(database);
    this.#now = now;
  }

  /** Takes back what an earlier process had leased; its attempts count. */
  takeBackLeases(): void {
    const now = this.#now();
    this.#sql.run("UPDATE deliveries SET state = 'ready', due_at_ms = ? WHERE state = 'leased'", now);
    // The clock may have been set back since: nothing waits for longer than a back-off can be.
    this.#sql.run(
      "UPDATE deliveries SET due_at_ms = ?1 WHERE state = 'ready' AND due_at_ms > ?1",
      now + waitMsMax,
    );
  }

  putTrigger({ function: name, trigger }: TriggerKey, settings: TriggerSettings): boolean {
    if (this.#sql.get("SELECT 1 FROM aliases WHERE function = ? AND alias = 'live'", name) === undefined)
      throw new HostError("function_not_found", `No function "${name}"`);
    const known = this.#sql.get("SELECT id FROM triggers WHERE function = ? AND name = ?", name, trigger);
    const now = this.#now();
    this.#sql.run(
      `INSERT INTO triggers (function, name, kind, source, settings_json, created_at_ms, seen_ms)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
       ON CONFLICT (function, name) DO UPDATE SET kind = ?3, source = ?4, settings_json = ?5, seen_ms = ?6`,
      name,
      trigger,
      settings.kind,
      listenedSource(settings, name),
      JSON.stringify(settings),
      now,
    );
    // The trigger may have been one with a slot: whoever gives it one does so after this.
    this.#sql.run(
      "UPDATE replications SET trigger = NULL WHERE trigger = ?",
      known === undefined ? null : Number(known["id"]),
    );
    return known === undefined;
  }

  removeTrigger({ function: name, trigger }: TriggerKey): boolean {
    return this.#sql.run("DELETE FROM triggers WHERE function = ? AND name = ?", name, trigger).changes > 0;
  }

  publish(topic: string, events: readonly HostEvent[], room: number): Published {
    const listeners = this.listeners("topic", topic);
    const deliveries = listeners.length * events.length;
    if (deliveries > room) {
      throw new HostError(
        "queue_full",
        `${deliveries} deliveries are too many for the queue, which has room for ${Math.max(0, room)}`,
        { retryAfterS: 5 },
      );
    }
    return this.deliver(listeners, events);
  }

  fire(triggerId: number, events: readonly { atMs: number; event: HostEvent }[], seenMs: number): Published {
    const row = this.#sql.get("SELECT * FROM triggers WHERE id = ?", triggerId);
    if (row === undefined) return { listeners: [], deliveries: 0 };
    const stored = Number(row["seen_ms"]);
    const seenBefore = isFarAhead(stored, seenMs) ? 0 : stored;
    // Whatever else happened: no instant is acted on twice.
    const due = events.filter(({ atMs }) => atMs > seenBefore);
    const listener = toListener(row);
    const room = this.#backlogRoom(listener);
    const fresh = room === 0 ? [] : due.slice(-room);
    this.#sql.run("UPDATE triggers SET seen_ms = ? WHERE id = ?", Math.max(seenBefore, seenMs), triggerId);
    return this.deliver(
      [listener],
      fresh.map(({ event }) => event),
    );
  }

  /** The triggers of a kind that listen to a source. */
  listeners(kind: TriggerSettings["kind"], source: string): Listener[] {
    return this.#sql
      .all("SELECT * FROM triggers WHERE kind = ? AND source = ?", kind, source)
      .map(toListener);
  }

  clockSetBack(byMs: number): void {
    this.#sql.run("UPDATE deliveries SET due_at_ms = due_at_ms - ? WHERE state = 'ready'", byMs);
  }

  lease(ids: readonly number[]): void {
    for (const id of ids) {
      this.#sql.run("UPDATE deliveries SET state = 'leased', attempts = attempts + 1 WHERE id = ?", id);
    }
  }

  end(ends: readonly AttemptEnd[]): Told {
    let deliveries = 0;
    const listeners: TriggerKey[] = [];
    for (const { id, outcome } of ends) {
      if (outcome.kind === "retry") this.#putBack(id, outcome);
      else {
        const callback = outcome.kind === "done" ? this.#done(id, outcome) : this.#giveUp(id, outcome);
        const told = callback === null ? [] : this.listeners("topic", callback.topic);
        if (callback !== null) deliveries += this.deliver(told, [callback.event]).deliveries;
        listeners.push(...told.map(({ function: name, trigger }) => ({ function: name, trigger })));
      }
    }
    return { published: { listeners, deliveries } };
  }

  #putBack(id: number, outcome: Extract<AttemptOutcome, { kind: "retry" }>): void {
    this.#sql.run(
      `UPDATE deliveries SET state = 'ready', due_at_ms = ?, attempts = attempts - ?,
       fault_json = coalesce(?, fault_json) WHERE id = ?`,
      outcome.dueAtMs,
      outcome.counts ? 0 : 1,
      outcome.fault === null ? null : JSON.stringify(outcome.fault),
      id,
    );
  }

  #done(id: number, { answer, callback }: Extract<AttemptOutcome, { kind: "done" }>): Publication | null {
    if (answer !== undefined) {
      const { body, ...head } = answer;
      this.#sql.run(
        `UPDATE invocations SET answer_json = ?1, answer = ?2, finished_at_ms = ?3, expires_at_ms = ?3 + keep_ms,
           attempts = (SELECT attempts FROM deliveries WHERE id = ?4), delivery = NULL WHERE delivery = ?4`,
        JSON.stringify(head),
        body,
        this.#now(),
        id,
      );
    }
    this.#remove(id);
    return callback ?? null;
  }

  #giveUp(id: number, { fault, callback }: Extract<AttemptOutcome, { kind: "dead" }>): Publication | null {
    const text = JSON.stringify(fault);
    const place = this.#sql.get("SELECT function, trigger, order_key FROM deliveries WHERE id = ?", id);
    // In no order any more: whoever looks for the next of its key is not to pass by dead letters.
    this.#sql.run(
      "UPDATE deliveries SET state = 'dead', order_key = NULL, fault_json = ? WHERE id = ?",
      text,
      id,
    );
    if (place !== undefined) this.#letNext(place);
    // What it is kept for outlives the dead letter, should that be dropped.
    this.#sql.run(
      `UPDATE invocations SET fault_json = ?1, finished_at_ms = ?2, expires_at_ms = ?2 + keep_ms,
         attempts = (SELECT attempts FROM deliveries WHERE id = ?3) WHERE delivery = ?3`,
      text,
      this.#now(),
      id,
    );
    return callback ?? null;
  }

  redrive(filter: Omit<DeliveryFilter, "state"> & { readonly id: number | null }): Published {
    const now = this.#now();
    const rows = this.#sql.all(
      `UPDATE deliveries SET state = 'ready', due_at_ms = ?1, attempts = 0,
         expires_at_ms = max(expires_at_ms, ?1 + 86400000)
       WHERE state = 'dead' AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR function = ?3)
         AND (?4 IS NULL OR trigger = ?4) AND ${namespaceIn("function")} = ?5
       RETURNING id, event, function, trigger`,
      now,
      filter.id,
      filter.function,
      filter.trigger,
      filter.namespace,
    );
    // The first of each key before those behind it.
    for (const row of rows.sort((one, other) => Number(one["id"]) - Number(other["id"]))) {
      const { id } = row;
      this.#putInOrder(row);
      this.#sql.run(
        "UPDATE invocations SET finished_at_ms = NULL, expires_at_ms = NULL WHERE delivery = ?",
        id ?? null,
      );
    }
    return { listeners: distinct(rows), deliveries: rows.length };
  }

  drop(id: number): boolean {
    const found = this.#sql.get("SELECT state FROM deliveries WHERE id = ?", id);
    if (found === undefined) return false;
    if (found["state"] === "leased") {
      throw new HostError("event_running", `An attempt to deliver ${id} runs; drop it when that has ended`);
    }
    const fault = JSON.stringify({ code: "event_not_found", message: "It was dropped", lines: [] });
    this.#sql.run(
      `UPDATE invocations SET fault_json = ?1, finished_at_ms = ?2, expires_at_ms = ?2 + keep_ms
       WHERE delivery = ?3 AND finished_at_ms IS NULL`,
      fault,
      this.#now(),
      id,
    );
    this.#remove(id);
    return true;
  }

  /** How many more instants of a schedule may wait: one that fires faster than it is served loses them. */
  #backlogRoom({ function: name, trigger }: TriggerKey): number {
    const row = this.#sql.get(
      "SELECT count(*) AS waiting FROM deliveries WHERE function = ? AND trigger = ? AND state = 'ready'",
      name,
      trigger,
    );
    return Math.max(0, limits.missedInstantsMax - Number(row?.["waiting"]));
  }

  /** Stores a delivery of each event for each listener. */
  deliver(listeners: readonly Recipient[], events: readonly HostEvent[]): Published {
    if (listeners.length === 0 || events.length === 0) return { listeners: [], deliveries: 0 };
    const now = this.#now();
    for (const event of events) {
      const attributes = JSON.stringify(event.attributes);
      const stored = this.#sql.get(
        `INSERT INTO events (attributes_json, data, digest, depth, created_at_ms, deliveries)
         VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
        attributes,
        event.data,
        eventDigest(attributes, event.data),
        event.depth,
        now,
        listeners.length,
      );
      for (const listener of listeners) {
        const orderKey = listener.orderKey(event);
        const added = this.#sql.get(
          `INSERT INTO deliveries (event, function, trigger, order_key, state, due_at_ms, expires_at_ms)
           VALUES (?, ?, ?, ?, 'ready', ?, ?) RETURNING id`,
          stored?.["id"] ?? null,
          listener.function,
          listener.trigger,
          orderKey,
          now,
          now + listener.maxAgeMs,
        );
        if (orderKey !== null) this.#putBehind(Number(added?.["id"]));
      }
    }
    const keys = listeners.map(({ function: name, trigger }) => ({ function: name, trigger }));
    return { listeners: keys, deliveries: events.length * listeners.length };
  }

  /**
   * A delivery with others of its order key before it is "behind" until they have gone: whoever looks for
   * what is due meets the first of each key, however many wait.
   */
  #putBehind(id: number): void {
    this.#sql.run(
      `UPDATE deliveries AS d SET state = 'behind' WHERE d.id = ? AND EXISTS (
         SELECT 1 FROM deliveries b WHERE b.function = d.function AND b.trigger = d.trigger
           AND b.order_key = d.order_key AND b.id < d.id AND b.state <> 'dead')`,
      id,
    );
  }

  /** A dead letter that is ready again is in the order that its trigger asks for now. */
  #putInOrder({ id, event, function: name, trigger }: Row): void {
    const found = this.#sql.get(
      "SELECT settings_json FROM triggers WHERE function = ? AND name = ?",
      name ?? null,
      trigger ?? null,
    );
    const stored = this.#sql.get("SELECT attributes_json FROM events WHERE id = ?", event ?? null);
    if (found === undefined || stored === undefined) return;
    const attributes = JSON.parse(String(stored["attributes_json"]));
    const orderKey = orderKeyOf(JSON.parse(String(found["settings_json"])), { attributes });
    if (orderKey === null) return;
    this.#sql.run("UPDATE deliveries SET order_key = ? WHERE id = ?", orderKey, id ?? null);
    this.#putBehind(Number(id));
  }

  /** One has gone: the next of its order key is ready. */
  #letNext({ function: name, trigger, order_key: orderKey }: Row): void {
    if (typeof orderKey !== "string") return;
    this.#sql.run(
      `UPDATE deliveries SET state = 'ready', due_at_ms = ? WHERE state = 'behind' AND id = (
         SELECT id FROM deliveries WHERE function = ? AND trigger = ? AND order_key = ? AND state <> 'dead'
         ORDER BY id LIMIT 1)`,
      this.#now(),
      name ?? null,
      trigger ?? null,
      orderKey,
    );
  }

  #remove(id: number): void {
    const removed = this.#sql.get(
      "DELETE FROM deliveries WHERE id = ? RETURNING event, function, trigger, order_key",
      id,
    );
    if (removed === undefined) return;
    this.#letNext(removed);
    const left = this.#sql.get(
      "UPDATE events SET deliveries = deliveries - 1 WHERE id = ? RETURNING deliveries",
      removed["event"] ?? null,
    );
    if (left?.["deliveries"] === 0)
      this.#sql.run("DELETE FROM events WHERE id = ?", removed["event"] ?? null);
  }
}

/** Of what is stored of an event, so that a flipped bit is noticed before it is delivered. */
export function eventDigest(attributesJson: string, data: Uint8Array): Uint8Array {
  return createHash("sha256").update(attributesJson).update("\n").update(data).digest();
}

export function toListener(row: Row): Listener {
  const settings: TriggerSettings = JSON.parse(String(row["settings_json"]));
  return {
    function: String(row["function"]),
    trigger: String(row["name"]),
    settings,
    maxAgeMs: settings.maxAgeMs,
    orderKey: (event) => orderKeyOf(settings, event),
  };
}

/** A trigger listens in the namespace of its function. */
function listenedSource(settings: TriggerSettings, functionName: string): string {
  const source = sourceOf(settings);
  return source === "" ? "" : qualifiedName(source, namespaceOf(functionName));
}

function orderKeyOf(settings: TriggerSettings, { attributes }: Pick<HostEvent, "attributes">): string | null {
  if (settings.kind === "schedule" || !settings.ordered) return null;
  return attributes["partitionkey"] ?? `${attributes["source"]} ${attributes["subject"] ?? ""}`;
}

function distinct(rows: readonly Row[]): TriggerKey[] {
  const keys = new Map<string, TriggerKey>();
  for (const row of rows) {
    const key = { function: String(row["function"]), trigger: String(row["trigger"]) };
    keys.set(`${key.function}/${key.trigger}`, key);
  }
  return [...keys.values()];
}
