// One function's log: a ring of two files, and the lines that are not in it yet. Owned by
// `log-store.ts`. Whatever touches the files takes its turn, so that no reader meets a rotation half
// done; nothing waits for more than the turns that were taken before it.

import { appendFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogLine } from "../invocation.ts";
import { limits } from "../limits.ts";

const halfBytesMax = limits.logBytesPerFunctionMax / 2;
/** Lines wait in memory at most this many bytes while the disk is slow: a write fits into a half. */
const pendingBytesMax = halfBytesMax - 1024;

export class FunctionLog {
  readonly #folder: string;
  readonly #newer: string;
  readonly #older: string;
  readonly #onFault: (error: unknown) => void;
  /** Serialised lines that no write has taken yet, oldest first. */
  #pending: string[] = [];
  #pendingBytes = 0;
  /** Lines lost since the last line that says so. */
  #dropped = 0;
  #writeDue = false;
  /** Bytes of the newer file; null when not known: at first, and after a write that failed. */
  #newerBytes: number | null = null;
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(folder: string, onFault: (error: unknown) => void) {
    this.#folder = folder;
    this.#newer = join(folder, "newer.ndjson");
    this.#older = join(folder, "older.ndjson");
    this.#onFault = onFault;
  }

  append(line: LogLine): void {
    const text = serialise(line);
    const bytes = Buffer.byteLength(text);
    if (this.#pendingBytes + bytes > pendingBytesMax) {
      this.#dropped += 1;
      return;
    }
    this.#pending.push(text);
    this.#pendingBytes += bytes;
    this.#writeSoon();
  }

  /** The newest `linesMax` lines, oldest first. Waits for the write under way, not for later ones. */
  async read(linesMax: number): Promise<LogLine[]> {
    const text = await this.#inTurn(async () => {
      const kept = (await readIfThere(this.#older)) + (await readIfThere(this.#newer));
      // Taken within the turn and after the files: what is pending now is not in them.
      return kept + this.#pending.join("");
    });
    return newestLines(text, linesMax);
  }

  /** Resolves when every line appended so far is on disk, or lost to a fault. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#writePending());
  }

  /** Drops every line, those that come until it resolves included. */
  remove(): Promise<void> {
    return this.#inTurn(async () => {
      await rm(this.#folder, { recursive: true, force: true });
      this.#takePending();
      this.#newerBytes = null;
    });
  }

  #inTurn<value>(work: () => Promise<value>): Promise<value> {
    const result = this.#lastTurn.then(work);
    // Keeps the order only, and not what was read.
    const ended = (): void => {};
    this.#lastTurn = result.then(ended, ended);
    return result;
  }

  /** At most one write waits or runs, so that a reader is never behind more than that one. */
  #writeSoon(): void {
    if (this.#writeDue) return;
    this.#writeDue = true;
    // What comes within one turn of the event loop is one write.
    setImmediate(async () => {
      await this.flush();
      this.#writeDue = false;
      if (this.#pending.length > 0) this.#writeSoon();
    });
  }

  async #writePending(): Promise<void> {
    if (this.#pending.length === 0) return;
    const { lines, dropped } = this.#takePending();
    const note = dropped === 0 ? "" : serialise(cutLine(dropped));
    try {
      await this.#appendToNewer(lines.join("") + note);
    } catch (error) {
      this.#dropped += dropped + lines.length;
      this.#newerBytes = null;
      this.#onFault(error);
    }
  }

  #takePending(): { lines: string[]; dropped: number } {
    const taken = { lines: this.#pending, dropped: this.#dropped };
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    return taken;
  }

  async #appendToNewer(lines: string): Promise<void> {
    let fileBytes = this.#newerBytes ?? (await sizeIfThere(this.#newer));
    // A file of unknown end may end in a line cut by a crash or a full disk: ours begin on their own.
    const text = this.#newerBytes === null && fileBytes > 0 ? `\n${lines}` : lines;
    const bytes = Buffer.byteLength(text);
    if (fileBytes > 0 && fileBytes + bytes > halfBytesMax) {
      await rename(this.#newer, this.#older);
      fileBytes = 0;
    }
    await this.#appendMakingFolder(text);
    this.#newerBytes = fileBytes + bytes;
  }

  async #appendMakingFolder(text: string): Promise<void> {
    try {
      await appendFile(this.#newer, text);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await mkdir(this.#folder, { recursive: true });
      await appendFile(this.#newer, text);
    }
  }
}

function serialise(line: LogLine): string {
  return `${JSON.stringify(line)}\n`;
}

function cutLine(count: number): LogLine {
  return {
    time: new Date().toISOString(),
    level: "warn",
    requestId: "",
    version: 0,
    message: `log cut: ${count} lines could not be written`,
  };
}

function newestLines(text: string, linesMax: number): LogLine[] {
  const found: LogLine[] = [];
  const lines = text.split("\n");
  for (let at = lines.length - 1; at >= 0 && found.length < linesMax; at -= 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    try {
      found.push(JSON.parse(line) as LogLine);
    } catch {
      // A line cut by a crash in the middle of a write: the others are whole.
    }
  }
  return found.reverse();
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return "";
    throw error;
  }
}

async function sizeIfThere(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
