// The log lines of one call, counted and cut here, on the host's side, and sent at once, so that
// they outlive a thread that is ended for a runaway.

import type { LogLevel } from "../invocation.ts";
import { limits } from "../limits.ts";
import { printable } from "../printable.ts";

type Send = (line: readonly [number, LogLevel, string]) => void;

export class GuestLog {
  readonly #send: Send;
  #lines = 0;
  #bytes = 0;
  #cut = false;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Lines sent so far, the one that says so included when the log was cut. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether no further line of the guest is kept. */
  get isCut(): boolean {
    return this.#cut;
  }

  /** Keeps one line of the guest, or cuts the log when the call's share is spent. */
  write(level: LogLevel, text: string): void {
    if (this.#cut) return;
    const message = line(text);
    this.#bytes += Buffer.byteLength(message);
    if (this.#lines >= limits.logLinesPerCallMax || this.#bytes > limits.logBytesPerCallMax) {
      this.#cut = true;
      this.#put(
        "warn",
        `log cut: a call may write ${limits.logLinesPerCallMax} lines and ${limits.logBytesPerCallMax} bytes`,
      );
      return;
    }
    this.#put(level, message);
  }

  /** A line of the host's own about this call, kept even when the guest's share is spent. */
  writeOwn(level: LogLevel, text: string): void {
    this.#put(level, line(text));
  }

  #put(level: LogLevel, message: string): void {
    this.#lines += 1;
    this.#send([Date.now(), level, message]);
  }
}

/** A character has a byte at least: what comes after so many is cut, and need not be made printable before. */
function line(text: string): string {
  const bytesMax = limits.logLineBytesMax;
  return cutToBytes(printable(text.slice(0, bytesMax + 1)), bytesMax);
}

function cutToBytes(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text;
  return `${Buffer.from(text)
    .subarray(0, bytesMax - 16)
    .toString("utf8")
    .replace(/\uFFFD$/, "")} ... (cut)`;
}
