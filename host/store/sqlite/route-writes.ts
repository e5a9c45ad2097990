// The changes of routes, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { parsePattern, type RouteSettings, routedFunction, shapeOf } from "../../route.ts";
import { StatementCache } from "./statement-cache.ts";

export class RouteWrites {
  readonly #sql: StatementCache;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#sql = new StatementCache(database);
    this.#now = now;
  }

  put(id: string, settings: RouteSettings): boolean {
    const shape = shapeOf(parsePattern(settings.pattern));
    const name = routedFunction(settings);
    const other = this.#sql.get("SELECT id FROM routes WHERE shape = ? AND id <> ?", shape, id);
    if (other !== undefined) {
      throw new HostError(
        "route_conflict",
        `Cannot route ${JSON.stringify(settings.pattern)}: the route "${other["id"]}" takes the same requests; change or remove that one`,
      );
    }
    const live = "SELECT 1 FROM aliases WHERE function = ? AND alias = 'live'";
    if (name !== null && this.#sql.get(live, name) === undefined) {
      throw new HostError("function_not_found", `No function "${name}"`);
    }
    const isNew = this.#sql.get("SELECT 1 FROM routes WHERE id = ?", id) === undefined;
    if (isNew) this.#assertRoom();
    this.#sql.run(
      `INSERT INTO routes (id, shape, function, settings_json, changed_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (id) DO UPDATE SET shape = ?2, function = ?3, settings_json = ?4, changed_at_ms = ?5`,
      id,
      shape,
      name,
      JSON.stringify(settings),
      this.#now(),
    );
    return isNew;
  }

  remove(id: string): boolean {
    return this.#sql.run("DELETE FROM routes WHERE id = ?", id).changes > 0;
  }

  #assertRoom(): void {
    const count = Number(this.#sql.get("SELECT count(*) AS routes FROM routes")?.["routes"]);
    if (count < limits.routesMax) return;
    throw new HostError("invalid_route", `The host has ${count} routes, which is the limit`);
  }
}
