// Functions in SQLite: reads on this thread's own connection, with what aliases lead to kept in memory
// until a change; writes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { type Alias, liveAlias, type Release, type Split } from "../../alias.ts";
import {
  type Deployment,
  type FunctionConfig,
  type FunctionVersion,
  functionConfigDefault,
} from "../../function.ts";
import type { Told } from "../cause.ts";
import type { Condition } from "../condition.ts";
import type { CrashRecord, DeployOutcome, FunctionStore, NewVersion } from "../function-store.ts";
import type { TakeBack } from "../take-back.ts";
import { deploymentColumns, toConfig, toDeployment, toVersion } from "./function-rows.ts";
import { ReleaseReads } from "./release-reads.ts";
import { StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteFunctionStore implements FunctionStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;
  readonly #releases: ReleaseReads;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
    this.#releases = new ReleaseReads(this.#sql);
  }

  list(): Deployment[] {
    return this.#sql
      .all(
        `SELECT ${deploymentColumns} FROM aliases a
         JOIN versions v ON v.name = a.function AND v.version = a.version
         JOIN functions f ON f.name = a.function WHERE a.alias = ? ORDER BY f.name`,
        liveAlias,
      )
      .map((row) => toDeployment(row, { alias: liveAlias, isCanary: false }));
  }

  count(): number {
    const sql = "SELECT count(*) AS functions FROM aliases WHERE alias = ?";
    return Number(this.#sql.get(sql, liveAlias)?.["functions"] ?? 0);
  }

  live(name: string): Deployment | null {
    return this.#releases.live(name)?.stable ?? null;
  }

  release(name: string, alias: string): Release | null {
    return this.#releases.get(name, alias);
  }

  aliases(name: string): Alias[] {
    return this.#releases.aliases(name);
  }

  at(name: string, version: number): Deployment | null {
    const row = this.#sql.get(
      `SELECT ${deploymentColumns} FROM functions f
       JOIN versions v ON v.name = f.name WHERE f.name = ? AND v.version = ?`,
      name,
      version,
    );
    return row === undefined ? null : toDeployment(row);
  }

  byId(versionId: number): FunctionVersion | null {
    const row = this.#sql.get("SELECT * FROM versions WHERE id = ?", versionId);
    return row === undefined ? null : toVersion(row);
  }

  versions(name: string): FunctionVersion[] {
    return this.#sql.all("SELECT * FROM versions WHERE name = ? ORDER BY version DESC", name).map(toVersion);
  }

  config(name: string): FunctionConfig | null {
    const row = this.#sql.get("SELECT config_json FROM functions WHERE name = ?", name);
    return row === undefined ? null : toConfig(row);
  }

  digests(): Set<string> {
    const rows = this.#sql.all(
      "SELECT digest FROM versions UNION SELECT files_digest FROM versions WHERE files_digest <> ''",
    );
    return new Set(rows.map((row) => String(row["digest"])));
  }

  isNamed(digest: string): boolean {
    const sql = "SELECT 1 FROM versions WHERE digest = ?1 OR (files_digest <> '' AND files_digest = ?1)";
    return this.#sql.get(sql, digest) !== undefined;
  }

  suspects(): number[] {
    return this.#sql.all("SELECT id FROM versions WHERE suspect = 1").map((row) => Number(row["id"]));
  }

  crashesSince(versionId: number, sinceMs: number): number {
    const sql = "SELECT count(*) AS crashes FROM crashes WHERE version_id = ? AND at_ms >= ?";
    return Number(this.#sql.get(sql, versionId, sinceMs)?.["crashes"]);
  }

  async deploy(version: NewVersion, isLive = true): Promise<DeployOutcome> {
    return this.#changed(
      version.name,
      this.#writer.write("functions", "deploy", version, functionConfigDefault, isLive),
    );
  }

  async putAlias(name: string, alias: string, split: Split, condition: Condition<number>): Promise<boolean> {
    return this.#changed(name, this.#writer.write("aliases", "put", name, alias, split, condition));
  }

  async removeAlias(name: string, alias: string, condition: Condition<number>): Promise<void> {
    await this.#changed(name, this.#writer.write("aliases", "remove", name, alias, condition));
  }

  async promote(name: string, alias: string): Promise<void> {
    await this.#changed(name, this.#writer.write("aliases", "promote", name, alias));
  }

  async rollback(name: string, alias: string, version: number | null): Promise<void> {
    await this.#changed(name, this.#writer.write("aliases", "rollback", name, alias, version));
  }

  async takeBack(change: TakeBack, room: number): Promise<Told & { readonly taken: boolean }> {
    return this.#changed(change.name, this.#writer.write("aliases", "takeBack", change, room));
  }

  async putConfig(name: string, config: FunctionConfig): Promise<void> {
    await this.#changed(name, this.#writer.write("functions", "putConfig", name, config));
  }

  async remove(name: string): Promise<readonly string[]> {
    return this.#changed(name, this.#writer.write("functions", "remove", name));
  }

  async recordCrash(crash: CrashRecord): Promise<void> {
    await this.#writer.write("functions", "recordCrash", crash);
    this.#releases.forgetAll();
  }

  async clearSuspect(versionId: number): Promise<void> {
    await this.#writer.write("functions", "clearSuspect", versionId);
  }

  async unquarantine(versionId: number): Promise<void> {
    await this.#writer.write("functions", "unquarantine", versionId);
    this.#releases.forgetAll();
  }

  /** Something else has changed the set-up of a function. */
  renew(name: string): void {
    this.#releases.forget(name);
  }

  async #changed<value>(name: string, change: Promise<value>): Promise<value> {
    const value = await change.finally(() => this.#releases.forget(name));
    // Looked up now, so that the first call need not.
    this.live(name);
    return value;
  }
}
