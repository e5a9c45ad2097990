// The stores of one database file: reads on a connection of this thread, writes through the one thread
// that writes for all of them.

import { limits } from "../../limits.ts";
import { SqliteAsyncStore } from "./async-store.ts";
import { SqliteAuditStore } from "./audit-store.ts";
import { SqliteBlobStore } from "./blob-store.ts";
import { openForReading } from "./database.ts";
import { SqliteEventStore } from "./event-store.ts";
import { SqliteFunctionStore } from "./function-store.ts";
import { SqliteKvStore } from "./kv-store.ts";
import { SqliteNamespaceStore } from "./namespace-store.ts";
import { SqliteReplicationStore } from "./replication-store.ts";
import { SqliteRouteStore } from "./route-store.ts";
import { SqliteSecretStore } from "./secret-store.ts";
import { SqliteTokenStore } from "./token-store.ts";
import { SqliteUsageStore } from "./usage-store.ts";
import { Writer, type Written } from "./writer.ts";

export type SqliteStores = {
  readonly file: string;
  readonly functions: SqliteFunctionStore;
  readonly kv: SqliteKvStore;
  readonly blobs: SqliteBlobStore;
  readonly events: SqliteEventStore;
  readonly async: SqliteAsyncStore;
  readonly replications: SqliteReplicationStore;
  readonly routes: SqliteRouteStore;
  readonly usage: SqliteUsageStore;
  readonly written: () => Written;
  readonly secrets: SqliteSecretStore;
  readonly tokens: SqliteTokenStore;
  readonly namespaces: SqliteNamespaceStore;
  readonly audit: SqliteAuditStore;
  close(): Promise<void>;
};

/**
 * Opens `file`, which is made when it is missing; keeps so many versions of a function. After `onWriterLost`
 * no change can be stored.
 */
export async function openStores(
  file: string,
  onWriterLost: (error: Error) => void,
  versionsMax: number = limits.versionsPerFunctionMax,
): Promise<SqliteStores> {
  const writer = await Writer.start({ file, versionsMax }, onWriterLost);
  await writer.write("events", "takeBackLeases");
  const database = openForReading(file);
  const functions = new SqliteFunctionStore(database, writer);
  return {
    file,
    functions,
    kv: new SqliteKvStore(database, writer),
    blobs: new SqliteBlobStore(database, writer),
    events: new SqliteEventStore(database, writer),
    async: new SqliteAsyncStore(database, writer),
    replications: new SqliteReplicationStore(database, writer),
    routes: new SqliteRouteStore(database, writer),
    usage: new SqliteUsageStore(database, writer),
    written: () => writer.written,
    secrets: new SqliteSecretStore(database, writer, (name) => functions.renew(name)),
    namespaces: new SqliteNamespaceStore(database, writer),
    tokens: new SqliteTokenStore(database, writer),
    audit: new SqliteAuditStore(database, writer),
    close: async () => {
      // The writer last: the last connection to close folds the write-ahead log into the database.
      database.close();
      await writer.close();
    },
  };
}
