// The write statements of functions and versions, run by the writer thread, each inside a savepoint
// of its group's transaction. One exported function per change; no reads for anyone else.

import type { DatabaseSync } from "node:sqlite";
import { liveAlias, noLiveVersion } from "../../alias.ts";
import { HostError } from "../../errors.ts";
import type { FunctionConfig } from "../../function.ts";
import type { CrashRecord, DeployOutcome, NewVersion } from "../function-store.ts";
import type { AliasWrites } from "./alias-writes.ts";
import type { NamespaceRoom } from "./namespace-room.ts";
import { type Row, StatementCache } from "./statement-cache.ts";

export class FunctionWrites {
  readonly #sql: StatementCache;
  readonly #versionsMax: number;
  readonly #aliases: AliasWrites;
  readonly #room: NamespaceRoom;

  constructor(database: DatabaseSync, versionsMax: number, aliases: AliasWrites, room: NamespaceRoom) {
    this.#room = room;
    this.#sql = new StatementCache(database);
    this.#room = room;
    this.#versionsMax = versionsMax;
    this.#aliases = aliases;
  }

  /** Keeps `version`, and makes it live if it is to be: a new row, or the kept one with the same digest. */
  deploy(version: NewVersion, configDefault: FunctionConfig, isLive: boolean): DeployOutcome {
    const { name, digest, abi, bytes, createdAtMs, freshCosts, metered } = version;
    const { digest: filesDigest = "", bytes: filesBytes = 0 } = version.files ?? {};
    if (!isLive) this.#assertLive(name);
    this.#sql.run(
      "INSERT INTO functions (name, config_json) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
      name,
      JSON.stringify(configDefault),
    );
    const kept = this.#sql.get(
      "SELECT version FROM versions WHERE name = ? AND digest = ? AND files_digest = ?",
      name,
      digest,
      filesDigest,
    );
    if (kept !== undefined) {
      const number = Number(kept["version"]);
      // Another Mayfly may have learnt to meter what the one before could not.
      this.#sql.run(
        "UPDATE versions SET metered = ?1, new_us = ?2, reset_us = ?3 WHERE name = ?4 AND version = ?5 AND metered <> ?1",
        Number(metered),
        freshCosts.newUs,
        freshCosts.resetUs,
        name,
        number,
      );
      if (isLive) this.#aliases.point(name, liveAlias, number);
      return { created: false, version: number, orphans: [] };
    }
    const next = Number(
      this.#sql.get(
        "UPDATE functions SET version_last = version_last + 1 WHERE name = ? RETURNING version_last",
        name,
      )?.["version_last"],
    );
    this.#sql.run(
      `INSERT INTO versions (name, version, digest, abi, size_bytes, created_at_ms, new_us, reset_us, metered,
         files_digest, files_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      next,
      digest,
      abi,
      bytes,
      createdAtMs,
      freshCosts.newUs,
      freshCosts.resetUs,
      Number(metered),
      filesDigest,
      filesBytes,
    );
    if (isLive) this.#aliases.point(name, liveAlias, next);
    const pruned = this.#prune(name, next);
    this.#room.assertFunctions(name);
    return { created: true, version: next, orphans: this.#orphans(pruned) };
  }

  /** Whether a version has these bytes, as its module or its files. */
  #isNamed(digest: string): boolean {
    const named = "SELECT 1 FROM versions WHERE digest = ?1 OR (files_digest <> '' AND files_digest = ?1)";
    return this.#sql.get(named, digest) !== undefined;
  }

  putConfig(name: string, config: FunctionConfig): void {
    this.#room.assertThere(name);
    this.#sql.run(
      `INSERT INTO functions (name, config_json) VALUES (?1, ?2)
       ON CONFLICT (name) DO UPDATE SET config_json = ?2, config_revision = config_revision + 1`,
      name,
      JSON.stringify(config),
    );
  }

  /** Gives the digests that no version names any more. */
  remove(name: string): string[] {
    const versions = this.#sql.all("SELECT digest, files_digest FROM versions WHERE name = ?", name);
    const { changes } = this.#sql.run("DELETE FROM functions WHERE name = ?", name);
    if (changes === 0) throw new HostError("function_not_found", `No function "${name}"`);
    return this.#orphans(versions);
  }

  recordCrash(crash: CrashRecord): void {
    for (const id of crash.suspects) this.#sql.run("UPDATE versions SET suspect = 1 WHERE id = ?", id);
    if (crash.only === null) return;
    this.#sql.run("INSERT INTO crashes (version_id, at_ms) VALUES (?, ?)", crash.only, crash.atMs);
    if (crash.quarantine) this.#sql.run("UPDATE versions SET quarantined = 1 WHERE id = ?", crash.only);
  }

  clearSuspect(versionId: number): void {
    this.#sql.run("UPDATE versions SET suspect = 0 WHERE id = ?", versionId);
  }

  unquarantine(versionId: number): void {
    this.#sql.run("UPDATE versions SET suspect = 0, quarantined = 0 WHERE id = ?", versionId);
    this.#sql.run("DELETE FROM crashes WHERE version_id = ?", versionId);
  }

  #assertLive(name: string): void {
    const sql = "SELECT 1 FROM aliases WHERE function = ? AND alias = ?";
    if (this.#sql.get(sql, name, liveAlias) !== undefined) return;
    throw noLiveVersion(name);
  }

  /** Removes the oldest versions beyond the limit, but for those that an alias names. */
  #prune(name: string, newest: number): Row[] {
    return this.#sql.all(
      `WITH named AS (
         SELECT ?2 AS version
         UNION SELECT version FROM aliases WHERE function = ?1
         UNION SELECT canary_version FROM aliases WHERE function = ?1 AND canary_version IS NOT NULL
         UNION SELECT version_before FROM aliases WHERE function = ?1 AND version_before IS NOT NULL)
       DELETE FROM versions WHERE name = ?1 AND version IN (
         SELECT version FROM versions WHERE name = ?1 AND version NOT IN (SELECT version FROM named)
         ORDER BY version DESC
         LIMIT -1 OFFSET max(0, ?3 - (SELECT count(*) FROM versions JOIN named USING (version) WHERE name = ?1)))
       RETURNING digest, files_digest`,
      name,
      newest,
      this.#versionsMax,
    );
  }

  #orphans(removed: readonly Row[]): string[] {
    const digests = removed.flatMap((row) => [String(row["digest"]), String(row["files_digest"])]);
    return [...new Set(digests)].filter((digest) => digest !== "" && !this.#isNamed(digest));
  }
}
