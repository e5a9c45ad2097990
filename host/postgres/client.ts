// Connections to a database, and what its refusals mean to whoever gave its URL. The client is loaded when
// the first one is wanted: most hosts have no trigger that needs it.

import type { Client, ClientConfig, Connection } from "pg";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type DatabaseUrl, describeDatabase } from "./database-url.ts";

/** A connection in the replication protocol has both; the package's types leave them out. */
export type CopyConnection = Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
};

/** Forms of values that do not depend on how a server is set. */
const sessionOptions =
  "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=1 -c bytea_output=hex";

/** A connection that stands. Rejects with HostError. */
export async function connect(
  url: DatabaseUrl,
  options: { readonly replication?: boolean } = {},
): Promise<Client> {
  const { default: pg } = await import("pg");
  const config: ClientConfig = {
    host: url.host,
    port: url.port,
    database: url.name,
    user: url.user,
    // Of an empty one the client would ask a file in the home folder.
    password: url.password === "" ? () => "" : url.password,
    ssl: url.tls === "off" ? false : { rejectUnauthorized: url.tls === "verified" },
    application_name: "mayfly",
    client_encoding: "UTF8",
    options: sessionOptions,
    keepAlive: true,
    connectionTimeoutMillis: limits.databaseTimeoutMs,
    // The stream of a replication is a statement that does not end.
    ...(options.replication !== true && {
      statement_timeout: limits.databaseTimeoutMs,
      query_timeout: limits.databaseTimeoutMs + 2_000,
    }),
  };
  const client = new pg.Client(options.replication ? { ...config, ...{ replication: "database" } } : config);
  // What is lost between statements is noticed at the next one.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await disconnect(client);
    throw databaseFault(error, url);
  }
}

/** Never rejects, and takes no longer than a second. */
export async function disconnect(client: Client): Promise<void> {
  const ended = client.end().then(
    () => {},
    () => {},
  );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, 1_000);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
  client.connection.stream.destroy();
}

/** Runs statements on a connection of their own; rejects with HostError. */
export async function withClient<value>(
  url: DatabaseUrl,
  run: (client: Client) => Promise<value>,
): Promise<value> {
  const client = await connect(url);
  try {
    return await run(client);
  } catch (error) {
    throw databaseFault(error, url);
  } finally {
    await disconnect(client);
  }
}

/** A shorter one is found in any text. */
const passwordCharactersMin = 4;
/** The client's words. */
const noTls = "The server does not support SSL connections";

type Refusal = {
  readonly code?: unknown;
  readonly message: string;
  readonly severity?: unknown;
};

/** What to do about it, by SQLSTATE (PostgreSQL, appendix A), where its own message does not say. */
const sentences: ReadonlyMap<string, string> = new Map([
  ["28P01", "it does not take the user or the password of the URL"],
  ["28000", "it does not let the user of the URL in; see its pg_hba.conf"],
  ["3D000", "it has no such database"],
  ["57014", "a statement took too long; a transaction that stays open keeps a slot from being made"],
]);

/** Of classes 08, 53 and 57 those that pass by themselves. */
const passing = /^(08|53300|57P0[1-5])/;

/** As a HostError that may be shown: neither user nor password are in it. */
export function databaseFault(error: unknown, url: DatabaseUrl): HostError {
  if (error instanceof HostError) return error;
  const where = describeDatabase(url);
  const { code, message, severity } = error as Refusal;
  const state = typeof code === "string" ? code : "";
  const isRefusal = severity !== undefined;
  const options = { cause: withoutUser(error, url) };
  if (!isRefusal || passing.test(state)) {
    const reason = shownMessage(message === "" ? state : message, url);
    return new HostError("database_unreachable", `Cannot reach the database ${where}: ${reason}`, options);
  }
  const sentence = sentences.get(state) ?? shownMessage(message, url);
  return new HostError("database_refused", `Cannot use the database ${where}: ${sentence}`, options);
}

/** Whether it names something that is not there (undefined_object). */
export function isMissing(fault: unknown): boolean {
  return fault instanceof HostError && String(fault.cause).startsWith("42704");
}

/** Whether the database itself is gone, and with it all that was in it. */
export function isGone(fault: unknown): boolean {
  return fault instanceof HostError && String(fault.cause).startsWith("3D000");
}

/** One line of text that was written elsewhere, without what is secret in the URL. */
function shownMessage(message: string, { user, password }: DatabaseUrl): string {
  let text = message.replaceAll(`"${user}"`, "of the URL");
  if (password.length >= passwordCharactersMin) text = text.replaceAll(password, "…");
  if (text === noTls) text += "; ?sslmode=disable in its URL does without";
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, 500);
}

/** For the log: an error of the client may have the whole connection attached. */
function withoutUser(error: unknown, url: DatabaseUrl): string {
  const { code, message } = error as Refusal;
  return `${typeof code === "string" ? `${code} ` : ""}${shownMessage(message, url)}`;
}
