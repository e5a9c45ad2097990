// What is kept in a namespace, read by the store of namespaces and by the changes that are held to its quotas.

import type { StatementCache } from "./statement-cache.ts";

/** The namespace of a name in a column. */
export const namespaceIn = (column: string): string =>
  `iif(instr(${column}, '.') = 0, 'default', substr(${column}, instr(${column}, '.') + 1))`;

/** Functions with versions, and the bytes of their kept versions. */
export function functionsIn(sql: StatementCache, namespace: string): { functions: number; bytes: number } {
  const functions = sql.get(
    `SELECT count(DISTINCT name) AS functions FROM versions WHERE ${namespaceIn("name")} = ?`,
    namespace,
  );
  const bytes = sql.get(
    `SELECT coalesce(sum(size_bytes + files_bytes), 0) AS bytes FROM versions WHERE ${namespaceIn("name")} = ?`,
    namespace,
  );
  return { functions: Number(functions?.["functions"]), bytes: Number(bytes?.["bytes"]) };
}

/** Bytes of key-value stores and of blobs. */
export function bytesIn(sql: StatementCache, namespace: string): { kv: number; blobs: number } {
  const row = sql.get("SELECT kv, blobs FROM namespace_bytes WHERE namespace = ?", namespace);
  return { kv: Number(row?.["kv"] ?? 0), blobs: Number(row?.["blobs"] ?? 0) };
}
