// The one thread that writes to the database. It takes what has arrived, runs it as one transaction
// (group commit: a full synchronisation each costs more than all the statements) and answers each
// change once it is durable. A change that fails undoes only itself.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { HostError } from "../../errors.ts";
import { openForWriting } from "./database.ts";
import { type StoreName, writesOf } from "./writes.ts";

export type WriterData = { readonly file: string; readonly versionsMax: number };
export type WriteRequest = {
  readonly id: number;
  readonly store: StoreName;
  readonly name: string;
  readonly values: readonly unknown[];
};
export type WriteReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WriteFault };

export type WriteFault = {
  /** Of a HostError. */
  readonly code: string | null;
  readonly message: string;
  readonly retryAfterS: number | undefined;
  /** The disk is. */
  readonly full: boolean;
};

const sqliteFull = 13;

const { file, versionsMax } = workerData as WriterData;
const port = parentPort as MessagePort;
const database = openForWriting(file);
const writes = writesOf(database, versionsMax);
port.postMessage("ready");

port.on("message", (first: WriteRequest | "close") => {
  const group: WriteRequest[] = [];
  let closing = false;
  for (let next: WriteRequest | "close" | undefined = first; next !== undefined; ) {
    if (next === "close") closing = true;
    else group.push(next);
    next = receiveMessageOnPort(port)?.message;
  }
  for (const reply of commit(group)) port.postMessage(reply);
  if (closing) {
    database.close();
    port.close();
  }
});

function commit(group: readonly WriteRequest[]): WriteReply[] {
  if (group.length === 0) return [];
  try {
    database.exec("BEGIN IMMEDIATE");
    const replies = group.map(apply);
    database.exec("COMMIT");
    return replies;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    return group.map(({ id }) => failed(id, error));
  }
}

function apply({ id, store, name, values }: WriteRequest): WriteReply {
  database.exec("SAVEPOINT change");
  try {
    const write = Reflect.get(writes[store], name) as (...values: unknown[]) => unknown;
    const value = write.apply(writes[store], [...values]);
    database.exec("RELEASE change");
    return { id, value };
  } catch (error) {
    // A full disk may have rolled back the whole transaction: then the group fails as one.
    if (!database.isTransaction) throw error;
    database.exec("ROLLBACK TO change; RELEASE change");
    return failed(id, error);
  }
}

function failed(id: number, error: unknown): WriteReply {
  const full = (error as { errcode?: number }).errcode === sqliteFull;
  const { code = null, retryAfterS } = error instanceof HostError ? error : {};
  const message = error instanceof Error ? error.message : String(error);
  return { id, error: { code, message, retryAfterS, full } };
}
