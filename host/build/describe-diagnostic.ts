// Turns what the compiler reports, offsets into files named from the entry's folder, into what a
// person reads: lines and columns in files named from the working directory. Compiler thread only.

import { relative, resolve } from "node:path";
import { type Diagnostic, nowhere } from "./build-error.ts";
import type { SourceFiles } from "./source-files.ts";

/** Values of `ReportedDiagnostic.category`: what is less is not shown. */
export const warningCategory = 2;
export const errorCategory = 3;

/** A diagnostic as asc hands it to `reportDiagnostic`; its own types lack the source. */
export type ReportedDiagnostic = {
  readonly code: number;
  /** 0 pedantic, 1 info, 2 warning, 3 error. */
  readonly category: number;
  readonly message: string;
  readonly range: SourceRange | null;
};

export type SourceRange = {
  readonly start: number;
  readonly end: number;
  readonly source: { readonly normalizedPath: string; readonly text?: string } | null;
};

export type DiagnosticPlace = {
  readonly files: SourceFiles;
  readonly baseDir: string;
  readonly workingDirectory: string;
};

export function describeDiagnostic(reported: ReportedDiagnostic, place: DiagnosticPlace): Diagnostic {
  const severity = reported.category >= errorCategory ? "error" : "warning";
  const head = { code: reported.code, severity, message: reported.message } as const;
  const path = reported.range?.source?.normalizedPath;
  if (reported.range === null || path === undefined) return { ...head, ...nowhere };
  const file = path.startsWith("~lib/") ? path : shownPath(path, place);
  const text = reported.range.source?.text ?? place.files.reported(path);
  if (text === null) return { ...head, ...nowhere, file };
  const { start, end } = reported.range;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = text.indexOf("\n", start);
  return {
    ...head,
    file,
    line: text.slice(0, start).split("\n").length,
    column: start - lineStart + 1,
    length: Math.max(1, end - start),
    snippet: text.slice(lineStart, lineEnd < 0 ? undefined : lineEnd).replace(/\r$/, ""),
  };
}

function shownPath(path: string, place: DiagnosticPlace): string {
  return relative(place.workingDirectory, resolve(place.baseDir, path)).replaceAll("\\", "/");
}
