// What a trigger needs in its database: a publication that says which changes are sent, and a slot that keeps
// the log until they are confirmed. Checked and made when a trigger is put, dropped when it is gone.

import type { Client } from "pg";
import { HostError } from "../errors.ts";
import type { PostgresSettings } from "../trigger.ts";
import { type DatabaseUrl, describeDatabase } from "./database-url.ts";

/** The first version of which everything that is asked here is known. */
const versionMin = 140_000;

type Refuse = (reason: string) => HostError;

/** Name of the publication that a trigger reads; its own one is named as its slot. */
export function publicationOf(settings: Pick<PostgresSettings, "publication">, slot: string): string {
  return settings.publication ?? slot;
}

/** Whether a slot, and the publication that it reads, are as they were left. */
export async function isIntact(client: Client, slot: string, publication: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_replication_slots, pg_publication
     WHERE slot_name = $1 AND database = current_database() AND wal_status IS DISTINCT FROM 'lost'
       AND pubname = $2`,
    [slot, publication],
  );
  return rows.length > 0;
}

/** Rejects with `database_refused` that says what the database lacks; makes nothing. */
export async function assertUsable(
  client: Client,
  settings: PostgresSettings,
  url: DatabaseUrl,
): Promise<void> {
  const refuse: Refuse = (reason) =>
    new HostError("database_refused", `Cannot use the database ${describeDatabase(url)}: ${reason}`);
  const { rows } = await client.query<{ version: number; level: string }>(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('wal_level') AS level",
  );
  const [server] = rows;
  if (server === undefined || server.version < versionMin) {
    throw refuse("it is older than PostgreSQL 14");
  }
  if (server.level !== "logical") {
    throw refuse(
      `its wal_level is ${server.level}, want logical: ALTER SYSTEM SET wal_level = logical, and restart it`,
    );
  }
  if (settings.publication === null) await assertTables(client, settings, refuse);
  else await assertPublication(client, settings.publication, settings.tables, refuse);
}

/** Makes the trigger's own publication, or has it name what its settings say. */
export async function makePublication(
  client: Client,
  name: string,
  settings: PostgresSettings,
): Promise<void> {
  const tables = settings.tables.map((table) => quotedTable(table)).join(", ");
  const options = `(publish = '${settings.on.join(", ")}', publish_via_partition_root = true)`;
  const { rows } = await client.query("SELECT 1 FROM pg_publication WHERE pubname = $1", [name]);
  if (rows.length === 0) {
    await client.query(`CREATE PUBLICATION ${quoted(name)} FOR TABLE ${tables} WITH ${options}`);
    return;
  }
  await client.query(`ALTER PUBLICATION ${quoted(name)} SET TABLE ${tables}`);
  await client.query(`ALTER PUBLICATION ${quoted(name)} SET ${options}`);
}

/** After the publication: what a slot sends is looked up as it was at that place of the log. */
export async function makeSlot(client: Client, slot: string): Promise<void> {
  await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
}

/** Drops a slot and the publication of its name, where they are; rejects while the slot is in use. */
export async function dropSlot(client: Client, slot: string): Promise<void> {
  await client.query(
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  await client.query(`DROP PUBLICATION IF EXISTS ${quoted(slot)}`);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.table`, of which the schema ends at the first dot. */
function quotedTable(table: string): string {
  const dot = table.indexOf(".");
  return `${quoted(table.slice(0, dot))}.${quoted(table.slice(dot + 1))}`;
}

async function assertTables(client: Client, { tables, on }: PostgresSettings, refuse: Refuse): Promise<void> {
  const { rows } = await client.query<{ name: string; identified: boolean }>(
    `SELECT n.nspname || '.' || c.relname AS name,
       c.relreplident IN ('f', 'i') OR c.relreplident = 'd' AND EXISTS (
         SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS identified
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY ($1)`,
    [tables],
  );
  const missing = tables.filter((table) => !rows.some(({ name }) => name === table));
  if (missing.length > 0) throw refuse(`it has no table ${missing.join(", ")}`);
  if (!on.includes("update") && !on.includes("delete")) return;
  // PostgreSQL itself would refuse every update and delete of such a table from now on.
  const loose = rows.filter(({ identified }) => !identified).map(({ name }) => name);
  if (loose.length === 0) return;
  throw refuse(
    `${loose.join(", ")} has no primary key, by which updates and deletes are told; give it one, or ALTER TABLE … REPLICA IDENTITY FULL, or ask for inserts alone`,
  );
}

async function assertPublication(
  client: Client,
  name: string,
  tables: readonly string[],
  refuse: Refuse,
): Promise<void> {
  const { rows } = await client.query("SELECT 1 FROM pg_publication WHERE pubname = $1", [name]);
  if (rows.length === 0) throw refuse(`it has no publication "${name}"; make it, or leave it out`);
  const published = await client.query<{ table: string }>(
    `SELECT schemaname || '.' || tablename AS table FROM pg_publication_tables WHERE pubname = $1`,
    [name],
  );
  const missing = tables.filter((table) => !published.rows.some((row) => row.table === table));
  if (missing.length === 0) return;
  throw refuse(`its publication "${name}" does not have the table ${missing.join(", ")}`);
}
