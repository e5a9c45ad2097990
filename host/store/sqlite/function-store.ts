// Functions in SQLite: reads on this thread's own connection, kept in a map of live deployments that
// is renewed after each change; writes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import {
  type Abi,
  type Deployment,
  type FreshCosts,
  type FunctionConfig,
  type FunctionVersion,
  functionConfigDefault,
  parseFunctionConfig,
} from "../../function.ts";
import type { CrashRecord, DeployOutcome, FunctionStore, NewVersion } from "../function-store.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const deploymentColumns = `v.id, v.name, v.version, v.digest, v.abi, v.size_bytes, v.created_at_ms,
  v.new_us, v.reset_us, v.quarantined, v.metered, v.files_digest, v.files_bytes, f.config_json, f.config_revision`;

/** Names looked up and not found are kept too, up to this many: a probe must not cost a query each. */
const cachedMax = 20_000;

export class SqliteFunctionStore implements FunctionStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;
  readonly #live = new Map<string, Deployment | null>();

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  list(): Deployment[] {
    return this.#sql
      .all(
        `SELECT ${deploymentColumns} FROM functions f
         JOIN versions v ON v.name = f.name AND v.version = f.live_version ORDER BY f.name`,
      )
      .map(toDeployment);
  }

  count(): number {
    return Number(
      this.#sql.get("SELECT count(*) AS functions FROM functions WHERE live_version IS NOT NULL")?.[
        "functions"
      ] ?? 0,
    );
  }

  live(name: string): Deployment | null {
    let found = this.#live.get(name);
    if (found === undefined) {
      const row = this.#sql.get(
        `SELECT ${deploymentColumns} FROM functions f
         JOIN versions v ON v.name = f.name AND v.version = f.live_version WHERE f.name = ?`,
        name,
      );
      found = row === undefined ? null : toDeployment(row);
      if (this.#live.size >= cachedMax) this.#live.clear();
      this.#live.set(name, found);
    }
    return found;
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

  suspects(): number[] {
    return this.#sql.all("SELECT id FROM versions WHERE suspect = 1").map((row) => Number(row["id"]));
  }

  crashesSince(versionId: number, sinceMs: number): number {
    const sql = "SELECT count(*) AS crashes FROM crashes WHERE version_id = ? AND at_ms >= ?";
    return Number(this.#sql.get(sql, versionId, sinceMs)?.["crashes"]);
  }

  async deploy(version: NewVersion): Promise<DeployOutcome> {
    return this.#changed(
      version.name,
      this.#writer.write("functions", "deploy", version, functionConfigDefault),
    );
  }

  async rollback(name: string, version: number): Promise<void> {
    await this.#changed(name, this.#writer.write("functions", "rollback", name, version));
  }

  async putConfig(name: string, config: FunctionConfig): Promise<void> {
    await this.#changed(name, this.#writer.write("functions", "putConfig", name, config));
  }

  async remove(name: string): Promise<readonly string[]> {
    return this.#changed(name, this.#writer.write("functions", "remove", name));
  }

  async recordCrash(crash: CrashRecord): Promise<void> {
    await this.#writer.write("functions", "recordCrash", crash);
    this.#live.clear();
  }

  async clearSuspect(versionId: number): Promise<void> {
    await this.#writer.write("functions", "clearSuspect", versionId);
  }

  async unquarantine(versionId: number): Promise<void> {
    await this.#writer.write("functions", "unquarantine", versionId);
    this.#live.clear();
  }

  async #changed<value>(name: string, change: Promise<value>): Promise<value> {
    const value = await change.finally(() => this.#live.delete(name));
    // Looked up now, so that the first call need not.
    this.live(name);
    return value;
  }
}

function toConfig(row: Row): FunctionConfig {
  return parseFunctionConfig(JSON.parse(String(row["config_json"])));
}

function toVersion(row: Row): FunctionVersion {
  return {
    id: Number(row["id"]),
    name: String(row["name"]),
    version: Number(row["version"]),
    digest: String(row["digest"]),
    abi: String(row["abi"]) as Abi,
    bytes: Number(row["size_bytes"]),
    createdAtMs: Number(row["created_at_ms"]),
    freshCosts: toCosts(row),
    quarantined: row["quarantined"] === 1,
    metered: row["metered"] === 1,
    files:
      row["files_digest"] === ""
        ? null
        : { digest: String(row["files_digest"]), bytes: Number(row["files_bytes"]) },
  };
}

function toCosts({ new_us: newUs, reset_us: resetUs }: Row): FreshCosts | null {
  if (typeof newUs !== "number") return null;
  return { newUs, resetUs: typeof resetUs === "number" ? resetUs : null };
}

function toDeployment(row: Row): Deployment {
  return { ...toVersion(row), config: toConfig(row), configRevision: Number(row["config_revision"]) };
}
