// All changes that the writer thread can make, by store. What one of them does is one transaction, and
// may span stores: a change and the event that tells of it.

import type { DatabaseSync } from "node:sqlite";
import { functionConfigDefault } from "../../function.ts";
import { AliasWrites } from "./alias-writes.ts";
import { AsyncWrites } from "./async-writes.ts";
import { AuditWrites } from "./audit-writes.ts";
import { BlobWrites } from "./blob-writes.ts";
import { EventWrites } from "./event-writes.ts";
import { FunctionWrites } from "./function-writes.ts";
import { KvWrites } from "./kv-writes.ts";
import { NamespaceRoom } from "./namespace-room.ts";
import { NamespaceWrites } from "./namespace-writes.ts";
import { ReplicationWrites } from "./replication-writes.ts";
import { RouteWrites } from "./route-writes.ts";
import { SecretWrites } from "./secret-writes.ts";
import { TokenWrites } from "./token-writes.ts";
import { UsageWrites } from "./usage-writes.ts";

export function writesOf(database: DatabaseSync, versionsMax: number) {
  const events = new EventWrites(database);
  const aliases = new AliasWrites(database, events);
  const room = new NamespaceRoom(database);
  return {
    functions: new FunctionWrites(database, versionsMax, aliases, room),
    aliases,
    kv: new KvWrites(database, events, room),
    blobs: new BlobWrites(database, events, room),
    async: new AsyncWrites(database, events),
    replications: new ReplicationWrites(database, events),
    routes: new RouteWrites(database),
    usage: new UsageWrites(database),
    secrets: new SecretWrites(database, functionConfigDefault, room),
    namespaces: new NamespaceWrites(database),
    tokens: new TokenWrites(database),
    audit: new AuditWrites(database),
    events,
  };
}

export type Writes = ReturnType<typeof writesOf>;
export type StoreName = keyof Writes;
export type WriteName<store extends StoreName> = Exclude<keyof Writes[store], "constructor"> & string;

/** A store's change as it is named, from its class. */
export type Write<store extends StoreName, name extends WriteName<store>> = Writes[store][name] extends (
  ...values: infer values
) => infer value
  ? { readonly values: values; readonly value: value }
  : never;
