// The error of a build: what the compiler found, each with its place in the user's files, and one
// text that a terminal shows. Thrown by compileFunction and compileModule only.

import { UserError } from "./user-error.ts";

export type Diagnostic = {
  /** The compiler's number, as in TS2322 or AS100; 0 for a fault that Mayfly found. */
  readonly code: number;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Relative to the working directory; a library's file begins with `~lib/`; "" for no place. */
  readonly file: string;
  /** From 1; 0 when there is no place. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 when there is no place. */
  readonly column: number;
  /** How many units from the column are meant, at least 1. */
  readonly length: number;
  /** The source line, as it is; "" when there is no place. */
  readonly snippet: string;
};

/** A build that failed; `message` is every diagnostic, formatted, and needs no further words. */
export class BuildError extends UserError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(formatDiagnostics(diagnostics));
    this.name = "BuildError";
    this.diagnostics = diagnostics;
  }
}

/** A build error without a place in a file. */
export function buildFault(message: string): BuildError {
  return new BuildError([{ ...nowhere, code: 0, severity: "error", message }]);
}

/** The place of a diagnostic that has none. */
export const nowhere = { file: "", line: 0, column: 0, length: 1, snippet: "" } as const;

/** `file:line:column: error TS2322: message`, the source line, and carets under what is meant. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join("\n\n");
}

function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, length, snippet, severity, message } = diagnostic;
  const place = file === "" ? "" : line === 0 ? `${file}: ` : `${file}:${line}:${column}: `;
  const text = `${place}${severity}${codeName(diagnostic.code)}: ${message}`;
  if (snippet.trim() === "") return text;
  const number = String(line);
  const margin = " ".repeat(number.length);
  // Tabs stay tabs, so that the carets stand under what is meant.
  const indent = snippet.slice(0, column - 1).replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.max(1, Math.min(length, snippet.length - column + 1)));
  return `${text}\n  ${number} | ${snippet}\n  ${margin} | ${indent}${carets}`;
}

// AssemblyScript keeps TypeScript's numbers from 1000 on and has its own below.
function codeName(code: number): string {
  if (code === 0) return "";
  return code < 1000 ? ` AS${code}` : ` TS${code}`;
}
