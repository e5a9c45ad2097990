// The changes of transactions as events (docs/events.md). Takes the messages of a replication slot one by one
// and keeps where in which transaction it is; the format itself is the client's to read.

import type { Pgoutput, PgoutputPlugin } from "pg-logical-replication";
import type { HostEvent } from "../event.ts";
import { limits } from "../limits.ts";
import type { ReplicationPosition } from "../replication.ts";
import type { PostgresChange, PostgresSettings } from "../trigger.ts";
import { lsnSortable, lsnText, parseLsn } from "./lsn.ts";
import { rowJson, type Tuple } from "./row-json.ts";

/** A change that is to be told, or the end of a transaction: everything before it may be confirmed. */
export type ReadChange =
  | { readonly kind: "change"; readonly position: ReplicationPosition; readonly event: HostEvent }
  | { readonly kind: "commit"; readonly endLsn: bigint };

export type ChangeReaderParts = {
  readonly plugin: Pick<PgoutputPlugin, "parse">;
  readonly settings: Pick<PostgresSettings, "tables" | "on" | "values">;
  /** The name of the database. */
  readonly database: string;
  /** The cluster's system identifier and its timeline. */
  readonly system: string;
};

type Transaction = {
  readonly lsn: bigint;
  readonly xid: number;
  readonly committedAt: string;
  changes: number;
};

type Row = {
  readonly change: PostgresChange;
  readonly relation: Pgoutput.MessageRelation;
  readonly new?: Tuple | null;
  readonly old?: Tuple | null;
  /** Before the change, where that has changed it. */
  readonly oldKey?: Tuple | null;
  /** Further members of the data. */
  readonly more?: readonly string[];
};

/** Beside new and old values: names, the key twice, each byte escaped, and the attributes. */
const otherBytesMax = 64 * 1024;
/** Longer ones are no subject: what is told of a row is in the data. */
const subjectCharactersMax = 4_096;

export class ChangeReader {
  readonly #parts: ChangeReaderParts;
  #transaction: Transaction | null = null;

  constructor(parts: ChangeReaderParts) {
    this.#parts = parts;
  }

  /** Whether its end is still to come. */
  get inTransaction(): boolean {
    return this.#transaction !== null;
  }

  /** Throws when it is no message of the protocol. */
  read(bytes: Buffer): ReadChange[] {
    const message = this.#parts.plugin.parse(bytes);
    switch (message.tag) {
      case "begin":
        this.#transaction = {
          lsn: parseLsn(message.commitLsn),
          // The client takes it for a signed number.
          xid: message.xid >>> 0,
          committedAt: new Date(Number(message.commitTime.valueOf() / 1_000n)).toISOString(),
          changes: 0,
        };
        return [];
      case "commit":
        this.#transaction = null;
        return [{ kind: "commit", endLsn: parseLsn(message.commitEndLsn) }];
      case "relation":
        // As texts: the client's own forms lose digits, time zones and infinities.
        for (const column of message.columns) column.parser = asItIs;
        return [];
      case "insert":
        return this.#told({ change: "insert", relation: message.relation, new: message.new });
      case "update":
        return this.#told({
          change: "update",
          relation: message.relation,
          new: message.new,
          old: message.old,
          oldKey: message.key,
        });
      case "delete": {
        const { relation, key, old } = message;
        return this.#told({ change: "delete", relation, old, oldKey: key });
      }
      case "truncate": {
        const { cascade, restartIdentity } = message;
        const more = [`"cascade":${cascade}`, `"restartIdentity":${restartIdentity}`];
        return message.relations.flatMap((relation) => this.#told({ change: "truncate", relation, more }));
      }
      default:
        return [];
    }
  }

  #told(row: Row): ReadChange[] {
    const transaction = this.#transaction;
    if (transaction === null) throw new Error("PostgreSQL sent a change outside of a transaction");
    // Also those that nobody asks for count, so that a number is that of the same change for ever.
    transaction.changes += 1;
    const { tables, on } = this.#parts.settings;
    const name = `${row.relation.schema}.${row.relation.name}`;
    if (!on.includes(row.change) || (tables.length > 0 && !tables.includes(name))) return [];
    const { system } = this.#parts;
    const position = { system, lsn: lsnSortable(transaction.lsn), change: transaction.changes };
    return [{ kind: "change", position, event: this.#event(row, transaction) }];
  }

  #event(row: Row, { lsn, xid, committedAt, changes }: Transaction): HostEvent {
    const { database, system } = this.#parts;
    const { schema, name } = row.relation;
    const table = `${encodeURIComponent(schema)}.${encodeURIComponent(name)}`;
    const subject = subjectOf(row);
    const attributes = {
      id: `${system}/${lsnText(lsn)}/${changes}`,
      source: `/postgres/${encodeURIComponent(database)}/${table}`,
      type: `mayfly.postgres.${row.change}`,
      time: committedAt,
      ...(subject !== "" && subject.length <= subjectCharactersMax && { subject }),
      datacontenttype: "application/json",
    };
    const members = [
      `"database":${JSON.stringify(database)}`,
      `"schema":${JSON.stringify(schema)}`,
      `"table":${JSON.stringify(name)}`,
      `"change":"${row.change}"`,
      `"lsn":"${lsnText(lsn)}"`,
      `"xid":${xid}`,
      `"committedAt":"${committedAt}"`,
      ...(row.more ?? []),
      ...keyMembers(row),
      ...(this.#parts.settings.values ? valueMembers(row) : []),
    ];
    return { attributes, data: Buffer.from(`{${members.join(",")}}`), depth: 1 };
  }
}

function asItIs(text: string): string {
  return text;
}

/** The columns that tell rows apart; with the replica identity `full` the protocol does not say which. */
function keyColumns({ replicaIdentity, columns }: Pgoutput.MessageRelation): Pgoutput.RelationColumn[] {
  return replicaIdentity === "full" ? [] : columns.filter(({ flags }) => (flags & 1) === 1);
}

/** The key of a row after the change; before it, where there is no row any more. */
function subjectOf(row: Row): string {
  const tuple = row.new ?? row.oldKey ?? {};
  const values = keyColumns(row.relation).map(({ name }) => tuple[name] ?? "");
  const [first = ""] = values;
  const text = values.length === 1 ? first : values.map((value) => encodeURIComponent(value)).join("/");
  // CloudEvents 1.0.2, section 3.1, has no control characters; the data tells the key as it is.
  return text.replace(/\p{Cc}/gu, (character) => encodeURIComponent(character));
}

function keyMembers(row: Row): string[] {
  const columns = keyColumns(row.relation);
  if (columns.length === 0 || row.change === "truncate") return [];
  if (row.change === "delete") return [`"key":${rowJson(columns, row.oldKey ?? {})}`];
  const key = `"key":${rowJson(columns, row.new ?? {})}`;
  return row.oldKey ? [key, `"oldKey":${rowJson(columns, row.oldKey)}`] : [key];
}

/** Left out where the event would be too large. */
function valueMembers({ change, relation, new: after, old }: Row): string[] {
  if (change === "truncate") return [];
  const { columns } = relation;
  const members = [
    `"new":${after ? rowJson(columns, after) : "null"}`,
    `"old":${old ? rowJson(columns, old) : "null"}`,
  ];
  const unchanged = after
    ? columns.filter(({ name }) => after[name] === undefined).map(({ name }) => name)
    : [];
  if (unchanged.length > 0) members.push(`"unchanged":${JSON.stringify(unchanged)}`);
  const bytes = members.reduce((sum, member) => sum + Buffer.byteLength(member), 0);
  return bytes <= limits.eventBytesMax - otherBytesMax ? members : ['"valuesTooLarge":true'];
}
