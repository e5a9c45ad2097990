// One line of a function's log as `logs` and `dev` print it. The message is a guest's own text and
// is made safe for a terminal; it can neither move the cursor nor pass for another line.

import type { LogLine } from "./client.ts";
import type { Output } from "./output.ts";
import { terminalBlock, terminalLine } from "./terminal-text.ts";

const styles = new Map([
  ["error", "red"],
  ["warn", "yellow"],
  ["debug", "dim"],
] as const);

/** `TIME LEVEL vN REQUESTID message`. */
export function formatLogLine(line: LogLine, output: Output): string {
  const level = terminalLine(line.level).toUpperCase().padEnd(5);
  const style = [...styles].find(([name]) => name === line.level)?.[1];
  const words = [
    output.style("dim", terminalLine(String(line.time))),
    style === undefined ? level : output.style(style, level),
    `v${line.version ?? "-"}`,
    output.style("dim", terminalLine(line.requestId ?? "-")),
    terminalBlock(line.message),
  ];
  return words.join(" ");
}
