// What aliases lead to, kept in memory until a change: the router asks at every call.

import { type Alias, liveAlias, type Release } from "../../alias.ts";
import type { Deployment } from "../../function.ts";
import { deploymentColumns, toAlias, toDeployment } from "./function-rows.ts";
import type { StatementCache } from "./statement-cache.ts";

/** Names looked up and not found are kept too, up to this many: a probe must not cost a query each. */
const cachedMax = 20_000;

export class ReleaseReads {
  readonly #sql: StatementCache;
  readonly #live = new Map<string, Release | null>();
  /** Of aliases besides `live`, by function; only those that are there. */
  readonly #others = new Map<string, Map<string, Release>>();

  constructor(sql: StatementCache) {
    this.#sql = sql;
  }

  get(name: string, alias: string): Release | null {
    return alias === liveAlias ? this.live(name) : this.#other(name, alias);
  }

  live(name: string): Release | null {
    let found = this.#live.get(name);
    if (found === undefined) {
      found = this.#read(name, liveAlias);
      if (this.#live.size >= cachedMax) this.#live.clear();
      this.#live.set(name, found);
    }
    return found;
  }

  aliases(name: string): Alias[] {
    return this.#sql.all("SELECT * FROM aliases WHERE function = ? ORDER BY alias", name).map(toAlias);
  }

  /** Something of a function has changed. */
  forget(name: string): void {
    this.#live.delete(name);
    this.#others.delete(name);
  }

  forgetAll(): void {
    this.#live.clear();
    this.#others.clear();
  }

  #other(name: string, alias: string): Release | null {
    const known = this.#others.get(name)?.get(alias);
    if (known !== undefined) return known;
    const found = this.#read(name, alias);
    if (found === null) return null;
    if (this.#others.size >= cachedMax) this.#others.clear();
    let ofName = this.#others.get(name);
    if (ofName === undefined) {
      ofName = new Map();
      this.#others.set(name, ofName);
    }
    ofName.set(alias, found);
    return found;
  }

  #read(name: string, aliasName: string): Release | null {
    const row = this.#sql.get(
      `SELECT a.*, ${deploymentColumns} FROM aliases a
       JOIN versions v ON v.name = a.function AND v.version = a.version
       JOIN functions f ON f.name = a.function WHERE a.function = ? AND a.alias = ?`,
      name,
      aliasName,
    );
    if (row === undefined) return null;
    const alias = toAlias(row);
    const stable = toDeployment(row, { alias: aliasName, isCanary: false });
    return { alias, stable, canary: this.#canary(alias) };
  }

  /** One in quarantine has no share: its calls would all be refused. */
  #canary({ function: name, name: alias, canary }: Alias): Deployment | null {
    if (canary === null || canary.share === 0) return null;
    const row = this.#sql.get(
      `SELECT ${deploymentColumns} FROM versions v JOIN functions f ON f.name = v.name
       WHERE v.name = ? AND v.version = ? AND v.quarantined = 0`,
      name,
      canary.version,
    );
    return row === undefined ? null : toDeployment(row, { alias, isCanary: true });
  }
}
