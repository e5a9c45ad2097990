// The changes of aliases, run by the writer thread. That a version is there which an alias names is held by
// the schema too.

import type { DatabaseSync } from "node:sqlite";
import { assertRoomForAlias, liveAlias, releasesTopic, type Split } from "../../alias.ts";
import { HostError } from "../../errors.ts";
import { namespaceOf, qualifiedName } from "../../namespace.ts";
import type { Told } from "../cause.ts";
import { assertCondition, type Condition } from "../condition.ts";
import type { TakeBack } from "../take-back.ts";
import type { EventWrites } from "./event-writes.ts";
import { type Row, StatementCache } from "./statement-cache.ts";

export class AliasWrites {
  readonly #sql: StatementCache;
  readonly #events: EventWrites;
  readonly #now: () => number;

  constructor(database: DatabaseSync, events: EventWrites, now: () => number = Date.now) {
    this.#sql = new StatementCache(database);
    this.#events = events;
    this.#now = now;
  }

  /** Leads an alias to one version, whatever it led to. */
  point(name: string, alias: string, version: number): void {
    this.put(name, alias, { version, canary: null, sticky: null }, "any");
  }

  /** Whether it is new. */
  put(name: string, alias: string, split: Split, condition: Condition<number>): boolean {
    this.#assertVersion(name, split.version);
    if (split.canary !== null) this.#assertVersion(name, split.canary.version);
    const before = this.#row(name, alias);
    assertCondition(before === undefined ? null : Number(before["revision"]), condition, "alias");
    if (before === undefined) {
      const row = this.#sql.get("SELECT count(*) AS aliases FROM aliases WHERE function = ?", name);
      assertRoomForAlias(name, Number(row?.["aliases"]));
    }
    this.#sql.run(
      `INSERT INTO aliases (function, alias, version, canary_version, canary_share, sticky_json, guard_json,
         version_before, revision, changed_at_ms)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8, ?9)
       ON CONFLICT (function, alias) DO UPDATE SET
         version_before = CASE WHEN version = ?3 THEN version_before ELSE version END,
         version = ?3, canary_version = ?4, canary_share = ?5, sticky_json = ?6, guard_json = ?7,
         taken_back_json = NULL, revision = ?8, changed_at_ms = ?9`,
      name,
      alias,
      split.version,
      split.canary?.version ?? null,
      split.canary?.share ?? 0,
      split.sticky === null ? null : JSON.stringify(split.sticky),
      split.canary?.guard ? JSON.stringify(split.canary.guard) : null,
      this.#nextRevision(name),
      this.#now(),
    );
    return before === undefined;
  }

  remove(name: string, alias: string, condition: Condition<number>): void {
    const row = this.#required(name, alias);
    assertCondition(Number(row["revision"]), condition, "alias");
    if (alias === liveAlias) {
      throw new HostError(
        "invalid_alias",
        `Cannot remove the alias "${liveAlias}": it is what is called without a pin; lead it to another version, or remove the function`,
      );
    }
    this.#sql.run("DELETE FROM aliases WHERE function = ? AND alias = ?", name, alias);
    this.#nextRevision(name);
  }

  /** Gives the canary all calls. */
  promote(name: string, alias: string): void {
    const row = this.#required(name, alias);
    if (Number(row["canary_share"]) === 0) {
      const found = row["canary_version"] === null ? "leads to one version" : "has a canary without a share";
      throw new HostError(
        "no_canary",
        `Cannot promote: the alias "${alias}" of "${name}" ${found}; release the version that you mean`,
      );
    }
    this.point(name, alias, Number(row["canary_version"]));
  }

  /** To a version; without one, ends the split, or where there is none leads to the version before. */
  rollback(name: string, alias: string, version: number | null): void {
    if (version !== null) {
      this.#assertVersion(name, version);
      if (alias !== liveAlias) this.#required(name, alias);
      return this.point(name, alias, version);
    }
    const row = this.#required(name, alias);
    if (Number(row["canary_share"]) > 0) return this.point(name, alias, Number(row["version"]));
    if (row["version_before"] === null) {
      throw new HostError(
        "no_version_before",
        `Cannot roll back: the alias "${alias}" of "${name}" has led to no other version; name the version`,
      );
    }
    this.point(name, alias, Number(row["version_before"]));
  }

  /** Whether the canary had a share until now. A queue without room for the event keeps no bad canary. */
  takeBack(
    { name, alias, canaryVersion, reason, event }: TakeBack,
    room: number,
  ): Told & { readonly taken: boolean } {
    const { changes } = this.#sql.run(
      `UPDATE aliases SET canary_share = 0, taken_back_json = ?4, changed_at_ms = ?5
       WHERE function = ?1 AND alias = ?2 AND canary_version = ?3 AND canary_share > 0`,
      name,
      alias,
      canaryVersion,
      JSON.stringify({ atMs: this.#now(), reason }),
      this.#now(),
    );
    const nobody = { listeners: [], deliveries: 0 };
    if (changes === 0) return { taken: false, published: nobody };
    const revision = this.#nextRevision(name);
    this.#sql.run("UPDATE aliases SET revision = ? WHERE function = ? AND alias = ?", revision, name, alias);
    const listeners = this.#events.listeners("topic", qualifiedName(releasesTopic, namespaceOf(name)));
    const published = listeners.length > room ? nobody : this.#events.deliver(listeners, [event]);
    return { taken: true, published };
  }

  #row(name: string, alias: string): Row | undefined {
    return this.#sql.get("SELECT * FROM aliases WHERE function = ? AND alias = ?", name, alias);
  }

  #required(name: string, alias: string): Row {
    const row = this.#row(name, alias);
    if (row !== undefined) return row;
    if (this.#row(name, liveAlias) === undefined) {
      throw new HostError("function_not_found", `No function "${name}"`);
    }
    throw new HostError("alias_not_found", `No alias "${alias}" of "${name}"`);
  }

  #assertVersion(name: string, version: number): void {
    const found = this.#sql.get("SELECT 1 FROM versions WHERE name = ? AND version = ?", name, version);
    if (found === undefined) throw new HostError("function_not_found", `No version ${version} of "${name}"`);
  }

  #nextRevision(name: string): number {
    return Number(
      this.#sql.get(
        "UPDATE functions SET alias_changes = alias_changes + 1 WHERE name = ? RETURNING alias_changes",
        name,
      )?.["alias_changes"],
    );
  }
}
