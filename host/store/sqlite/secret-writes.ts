// The changes of what is kept sealed, run by the writer thread. A changed secret is a change of its function's
// set-up: the revision of the configuration rises, and threads are given the new one with the next call.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import type { FunctionConfig } from "../../function.ts";
import { limits } from "../../limits.ts";
import type { Sealed, SealedSecret } from "../secret-store.ts";
import type { NamespaceRoom } from "./namespace-room.ts";
import { StatementCache } from "./statement-cache.ts";

export class SecretWrites {
  readonly #sql: StatementCache;
  readonly #configDefault: FunctionConfig;
  readonly #room: NamespaceRoom;

  constructor(database: DatabaseSync, configDefault: FunctionConfig, room: NamespaceRoom) {
    this.#sql = new StatementCache(database);
    this.#room = room;
    this.#configDefault = configDefault;
  }

  put(functionName: string, { name, sealed }: SealedSecret): boolean {
    this.#room.assertThere(functionName);
    this.#sql.run(
      "INSERT INTO functions (name, config_json) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
      functionName,
      JSON.stringify(this.#configDefault),
    );
    const known = this.#sql.get("SELECT 1 FROM secrets WHERE function = ? AND name = ?", functionName, name);
    if (known === undefined) this.#assertRoom(functionName);
    this.#sql.run(
      `INSERT INTO secrets (function, name, sealed, created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?4)
       ON CONFLICT (function, name) DO UPDATE SET sealed = ?3, updated_at_ms = ?4`,
      functionName,
      name,
      sealed,
      Date.now(),
    );
    this.#changed(functionName);
    return known === undefined;
  }

  remove(functionName: string, name: string): boolean {
    const { changes } = this.#sql.run(
      "DELETE FROM secrets WHERE function = ? AND name = ?",
      functionName,
      name,
    );
    if (changes > 0) this.#changed(functionName);
    return changes > 0;
  }

  reseal(seals: readonly Sealed[]): void {
    for (const { table, id, sealed } of seals) {
      const { changes } = this.#sql.run(
        table === "secrets"
          ? "UPDATE secrets SET sealed = ? WHERE id = ?"
          : "UPDATE replications SET url = ? WHERE id = ?",
        sealed,
        id,
      );
      if (changes !== 1) throw new Error(`What was sealed is gone: ${table} ${id}`);
    }
  }

  #assertRoom(functionName: string): void {
    const row = this.#sql.get("SELECT count(*) AS secrets FROM secrets WHERE function = ?", functionName);
    if (Number(row?.["secrets"]) < limits.secretsPerFunctionMax) return;
    throw new HostError(
      "quota_exceeded",
      `"${functionName}" has ${limits.secretsPerFunctionMax} secrets, which is the limit (secretsPerFunctionMax)`,
    );
  }

  #changed(functionName: string): void {
    this.#sql.run("UPDATE functions SET config_revision = config_revision + 1 WHERE name = ?", functionName);
  }
}
