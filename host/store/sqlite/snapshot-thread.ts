// The thread that copies the database while others write to it: one read transaction over all of it, which
// keeps no writer waiting. Ends with that.

import { DatabaseSync } from "node:sqlite";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";

export type SnapshotTask = { readonly file: string; readonly target: string };
export type SnapshotReply = { readonly error: string | null; readonly errcode: number | null };

const { file, target } = workerData as SnapshotTask;
const port = parentPort as MessagePort;

port.postMessage(copy());
port.close();

function copy(): SnapshotReply {
  try {
    using database = new DatabaseSync(file, { timeout: 5_000, readOnly: true });
    database.prepare("VACUUM INTO ?").run(target);
    return { error: null, errcode: null };
  } catch (error) {
    const { message, errcode = null } = error as Error & { errcode?: number };
    return { error: message, errcode };
  }
}
