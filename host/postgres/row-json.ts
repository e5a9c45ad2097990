// A row as JSON text. PostgreSQL sends values as texts; those that JSON has a form for without a loss become
// that, all others stay the texts they are. JSON columns are put in as they came: they are read by nobody here.

import type { Pgoutput } from "pg-logical-replication";

/** Values by column; undefined where a large one was not sent, since it has not changed. */
export type Tuple = Readonly<Record<string, string | null | undefined>>;
type Columns = readonly Pick<Pgoutput.RelationColumn, "name" | "typeOid">[];

/** Object identifiers of built-in types (PostgreSQL, src/include/catalog/pg_type.dat). */
const boolean = 16;
/** int2, int4, oid, float4, float8: what a number of JavaScript holds. */
const numbers: ReadonlySet<number> = new Set([21, 23, 26, 700, 701]);
/** json and jsonb. */
const documents: ReadonlySet<number> = new Set([114, 3802]);

/** An object with those columns that were sent. */
export function rowJson(columns: Columns, tuple: Tuple): string {
  const members = columns.flatMap(({ name, typeOid }) => {
    const value = tuple[name];
    return value === undefined ? [] : [`${JSON.stringify(name)}:${valueJson(value, typeOid)}`];
  });
  return `{${members.join(",")}}`;
}

function valueJson(value: string | null, typeOid: number): string {
  if (value === null) return "null";
  if (typeOid === boolean) return value === "t" ? "true" : "false";
  if (documents.has(typeOid)) return value;
  // NaN and infinities are no numbers of JSON.
  if (numbers.has(typeOid) && Number.isFinite(Number(value))) return String(Number(value));
  return JSON.stringify(value);
}
