import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "pg";
import { HostError } from "../../host/errors.ts";
import { assertUsable } from "../../host/postgres/slot.ts";
import { parseTrigger } from "../../host/trigger.ts";

const url = { host: "db", port: 5432, name: "shop", user: "bob", password: "hunter2", tls: "off" } as const;

/** A server that says so much of itself, and has nothing in it. */
const serverOf = (version: number, level: string): Client =>
  ({
    query: async (text: string) => ({ rows: /server_version_num/.test(text) ? [{ version, level }] : [] }),
  }) as Partial<Client> as Client;

test("a server that cannot replicate by logical decoding is refused with the way out", async () => {
  const settings = parseTrigger({ kind: "postgres", tables: ["public.orders"] });
  assert.ok(settings.kind === "postgres");
  for (const [version, level, expected] of [
    [130_022, "logical", /older than PostgreSQL 14/],
    [140_000, "replica", /wal_level is replica, want logical: ALTER SYSTEM SET wal_level = logical/],
    [150_018, "minimal", /wal_level is minimal/],
    // So far it is good.
    [140_000, "logical", /no table public\.orders/],
  ] as const) {
    await assert.rejects(
      assertUsable(serverOf(version, level), settings, url),
      (error) =>
        error instanceof HostError && error.code === "database_refused" && expected.test(error.message),
      `${version} ${level}`,
    );
  }
});
