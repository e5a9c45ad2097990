// Routes in SQLite: reads on this thread's own connection, writes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { parsePattern, type Route, type RouteSettings } from "../../route.ts";
import type { RouteStore } from "../route-store.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteRouteStore implements RouteStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  all(): Route[] {
    return this.#sql.all("SELECT * FROM routes ORDER BY id").map(toRoute);
  }

  get(id: string): Route | null {
    const row = this.#sql.get("SELECT * FROM routes WHERE id = ?", id);
    return row === undefined ? null : toRoute(row);
  }

  put(id: string, settings: RouteSettings): Promise<boolean> {
    return this.#writer.write("routes", "put", id, settings);
  }

  remove(id: string): Promise<boolean> {
    return this.#writer.write("routes", "remove", id);
  }
}

function toRoute(row: Row): Route {
  const settings = JSON.parse(String(row["settings_json"])) as RouteSettings;
  return {
    id: String(row["id"]),
    pattern: parsePattern(settings.pattern),
    settings,
    changedAtMs: Number(row["changed_at_ms"]),
  };
}
