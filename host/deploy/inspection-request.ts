// What the host process asks the supervisor to have inspected, as a file in the data folder: the host may start
// no process, and the supervisor is to read nothing of what guests are made of. It opens the file and passes its
// bytes on. The host removes it when it has its answer, or at its next start.

import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serialize } from "node:v8";
import { type ErrorCode, HostError } from "../errors.ts";
import type { FreshCosts } from "../function.ts";
import type { Inspectors } from "./inspect.ts";
import type { InspectRequest } from "./inspector.ts";

/** What the supervisor answers. */
export type Inspection =
  | { readonly kind: "passed"; readonly costs: FreshCosts }
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly message: string;
      readonly extra: Readonly<Record<string, unknown>>;
    }
  /** A fault of ours. */
  | { readonly kind: "failed"; readonly message: string };

const folderOf = (dataDir: string): string => join(dataDir, "inspect");
const fileOf = (dataDir: string, id: number): string => join(folderOf(dataDir), String(id));

/** The supervisor's end: has request `id` of the host inspected. Never rejects. */
export async function inspectRequested(
  inspectors: Pick<Inspectors, "inspectBytes">,
  dataDir: string,
  id: number,
): Promise<Inspection> {
  try {
    if (!Number.isSafeInteger(id)) throw new Error("no number of a request");
    await using file: FileHandle = await open(
      fileOf(dataDir, id),
      // Whatever the host is made to put there: a link leads nowhere.
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0),
    );
    const costs = await inspectors.inspectBytes(() => file.createReadStream({ start: 0, autoClose: false }));
    return { kind: "passed", costs };
  } catch (error) {
    if (!(error instanceof HostError)) return { kind: "failed", message: (error as Error).message };
    const { code, message, extra } = error;
    return { kind: "refused", code, message, extra };
  }
}

/** The host's end: inspectors that the supervisor starts. `ask` tells it the number of a request. */
export class RequestedInspections implements Pick<Inspectors, "inspect"> {
  readonly #dataDir: string;
  readonly #ask: (id: number) => Promise<Inspection>;
  #asked = 0;

  private constructor(dataDir: string, ask: (id: number) => Promise<Inspection>) {
    this.#dataDir = dataDir;
    this.#ask = ask;
  }

  static async open(
    dataDir: string,
    ask: (id: number) => Promise<Inspection>,
  ): Promise<RequestedInspections> {
    await rm(folderOf(dataDir), { recursive: true, force: true });
    await mkdir(folderOf(dataDir), { recursive: true });
    return new RequestedInspections(dataDir, ask);
  }

  /** As that of `Inspectors`; throws `storage_full`, too. */
  async inspect(request: InspectRequest): Promise<FreshCosts> {
    this.#asked += 1;
    const id = this.#asked;
    const file = fileOf(this.#dataDir, id);
    try {
      await writeFile(file, serialize(request), { flag: "wx", mode: 0o600 });
      const inspection = await this.#ask(id);
      if (inspection.kind === "passed") return inspection.costs;
      if (inspection.kind === "failed")
        throw new Error(`Cannot have an upload inspected: ${inspection.message}`);
      throw new HostError(inspection.code, inspection.message, { extra: inspection.extra });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      throw new HostError("storage_full", "Cannot inspect the upload: the disk is full", { cause: error });
    } finally {
      await rm(file, { force: true });
    }
  }

  /** The supervisor keeps its own. */
  close(): void {}
}
