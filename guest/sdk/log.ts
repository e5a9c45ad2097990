// The function's log. `console.log` and its siblings end in the same place.

import { log as writeLine } from "./host/mayfly";
import { utf8Bytes } from "./utf8";

function write(level: i32, text: string): void {
  const bytes = utf8Bytes(text);
  writeLine(level, bytes.dataStart, <usize>bytes.length);
}

/**
 * Writes to the function's log, which `mayfly logs NAME` shows.
 *
 * ```ts
 * log.info("called with " + req.path);
 * ```
 */
export namespace log {
  /**
   * For following what the function does.
   *
   * ```ts
   * log.debug("cache miss for " + key);
   * ```
   */
  export function debug(text: string): void {
    write(0, text);
  }

  /**
   * For what happened as it should.
   *
   * ```ts
   * log.info("made order " + id.toString());
   * ```
   */
  export function info(text: string): void {
    write(1, text);
  }

  /**
   * For what should be looked at.
   *
   * ```ts
   * log.warn("no LEVEL configured, using info");
   * ```
   */
  export function warn(text: string): void {
    write(2, text);
  }

  /**
   * For what went wrong.
   *
   * ```ts
   * log.error("the upstream answered " + status.toString());
   * ```
   */
  export function error(text: string): void {
    write(3, text);
  }
}
