// The log lines of all functions: each function's own ring of lines, and those who follow them as
// they come. Called by the wiring for lines, by `log-routes.ts` for readers. A call's lines can be
// read once it is answered.

import { join } from "node:path";
import type { LogLine } from "../invocation.ts";
import { limits } from "../limits.ts";
import { FunctionLog } from "./function-log.ts";

export type LogStoreParts = { readonly folder: string; readonly onFault: (error: unknown) => void };

type Follower = { readonly listener: (line: LogLine) => void };

export class LogStore {
  readonly #parts: LogStoreParts;
  readonly #logs = new Map<string, FunctionLog>();
  readonly #followers = new Map<string, Set<Follower>>();
  #followersCount = 0;

  constructor(parts: LogStoreParts) {
    this.#parts = parts;
  }

  /** Keeps a line; it is shown by `read` and `follow` at once and on disk soon. Never throws. */
  append(name: string, line: LogLine): void {
    this.#logOf(name).append(line);
    for (const { listener } of this.#followers.get(name) ?? []) {
      try {
        listener(line);
      } catch (error) {
        this.#parts.onFault(error);
      }
    }
  }

  /** The newest `linesMax` lines, oldest first. */
  read(name: string, linesMax: number): Promise<LogLine[]> {
    return this.#logOf(name).read(linesMax);
  }

  /** Calls `listener` for each new line until the result is disposed; null when too many follow. */
  follow(name: string, listener: (line: LogLine) => void): Disposable | null {
    if (this.#followersCount >= limits.logFollowersMax) return null;
    this.#followersCount += 1;
    const follower: Follower = { listener };
    const ofName = this.#followers.get(name) ?? new Set();
    this.#followers.set(name, ofName.add(follower));
    return {
      [Symbol.dispose]: () => {
        if (!ofName.delete(follower)) return;
        this.#followersCount -= 1;
        if (ofName.size === 0) this.#followers.delete(name);
      },
    };
  }

  /** Drops a function's log. A line that comes after it begins a new one: who appends has to stop first. */
  async remove(name: string): Promise<void> {
    await this.#logOf(name).remove();
    this.#logs.delete(name);
  }

  /** Resolves when every line appended so far is on disk, or lost to a fault. */
  async flush(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.flush()));
  }

  #logOf(name: string): FunctionLog {
    let log = this.#logs.get(name);
    if (log === undefined) {
      log = new FunctionLog(join(this.#parts.folder, name), this.#parts.onFault);
      this.#logs.set(name, log);
    }
    return log;
  }
}
