// The log lines of functions: kept per function in a ring on disk, made of two halves; when the
// newer one is full it becomes the older one and the old older one goes. Lines are in memory until
// the next write, and reading shows them too, so a call's lines can be read once it is answered.

import { EventEmitter } from "node:events";
import { appendFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LogLine } from "../invocation.ts";
import { limits } from "../limits.ts";

type FunctionLog = {
  /** Serialised lines not yet on disk. */
  pending: string[];
  pendingBytes: number;
  /** Bytes of the newer half on disk; null until it has been looked at. */
  bytes: number | null;
  /** Lines left out since the last write, because writing could not keep up. */
  dropped: number;
  writing: Promise<void> | null;
};

const newer = "newer.ndjson";
const older = "older.ndjson";
/** Lines wait in memory at most this many bytes while the disk is slow. */
const pendingBytesMax = 1024 * 1024;

export type LogStoreParts = { readonly folder: string; readonly onFault: (error: unknown) => void };

export class LogStore {
  readonly #parts: LogStoreParts;
  readonly #logs = new Map<string, FunctionLog>();
  readonly #events = new EventEmitter().setMaxListeners(limits.logFollowersMax + 1);
  #followers = 0;

  constructor(parts: LogStoreParts) {
    this.#parts = parts;
  }

  /** Keeps a line; it is shown by `read` and `follow` at once and on disk soon. */
  append(name: string, line: LogLine): void {
    this.#events.emit(name, line);
    const log = this.#logOf(name);
    const text = `${JSON.stringify(line)}\n`;
    const bytes = Buffer.byteLength(text);
    if (log.pendingBytes + bytes > pendingBytesMax) {
      log.dropped += 1;
      return;
    }
    log.pending.push(text);
    log.pendingBytes += bytes;
    this.#write(name, log);
  }

  /** The newest `linesMax` lines, oldest first. */
  async read(name: string, linesMax: number): Promise<LogLine[]> {
    const log = this.#logs.get(name);
    while (log?.writing) await log.writing;
    const texts = [await readIfThere(this.#file(name, older)), await readIfThere(this.#file(name, newer))];
    const lines = texts.join("").split("\n");
    const parsed: LogLine[] = [];
    for (const line of lines.slice(-linesMax - 1)) {
      if (line === "") continue;
      try {
        parsed.push(JSON.parse(line) as LogLine);
      } catch {
        // A line cut by a crash in the middle of a write: the others are whole.
      }
    }
    return parsed.slice(-linesMax);
  }

  /** Calls `listener` for each new line until the result is disposed; null when too many follow. */
  follow(name: string, listener: (line: LogLine) => void): Disposable | null {
    if (this.#followers >= limits.logFollowersMax) return null;
    this.#followers += 1;
    this.#events.on(name, listener);
    return {
      [Symbol.dispose]: () => {
        this.#followers -= 1;
        this.#events.off(name, listener);
      },
    };
  }

  async remove(name: string): Promise<void> {
    const log = this.#logs.get(name);
    while (log?.writing) await log.writing;
    this.#logs.delete(name);
    await rm(join(this.#parts.folder, name), { recursive: true, force: true });
  }

  /** Resolves when every line is on disk. */
  async flush(): Promise<void> {
    for (const log of this.#logs.values()) while (log.writing) await log.writing;
  }

  #logOf(name: string): FunctionLog {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = { pending: [], pendingBytes: 0, bytes: null, dropped: 0, writing: null };
      this.#logs.set(name, log);
    }
    return log;
  }

  #write(name: string, log: FunctionLog): void {
    log.writing ??= this.#writePending(name, log)
      .catch((error: unknown) => {
        log.pending = [];
        log.pendingBytes = 0;
        this.#parts.onFault(error);
      })
      .finally(() => {
        log.writing = null;
        if (log.pending.length > 0) this.#write(name, log);
        else if (log.dropped === 0) this.#logs.delete(name);
      });
  }

  async #writePending(name: string, log: FunctionLog): Promise<void> {
    // What comes within one turn of the loop is one write.
    await new Promise((resolve) => setImmediate(resolve));
    const text = log.pending.join("");
    log.pending = [];
    log.pendingBytes = 0;
    const dropped = log.dropped;
    log.dropped = 0;
    const folder = join(this.#parts.folder, name);
    await mkdir(folder, { recursive: true });
    const path = join(folder, newer);
    log.bytes ??= await sizeIfThere(path);
    const note = dropped === 0 ? "" : droppedLine(dropped);
    await appendFile(path, text + note);
    log.bytes += Buffer.byteLength(text);
    if (log.bytes >= limits.logBytesPerFunctionMax / 2) {
      await rename(path, join(folder, older));
      log.bytes = 0;
    }
  }

  #file(name: string, half: string): string {
    return join(this.#parts.folder, name, half);
  }
}

function droppedLine(count: number): string {
  const line: LogLine = {
    time: new Date().toISOString(),
    level: "warn",
    requestId: "",
    version: 0,
    message: `log cut: ${count} lines came faster than they could be written`,
  };
  return `${JSON.stringify(line)}\n`;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function sizeIfThere(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
