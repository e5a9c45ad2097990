// The entry that Mayfly puts in front of a user's file: it exports `mayfly_handle` (docs/abi.md)
// and calls the user's `handle`. As a transform of the compiler it looks for `handle` first, so
// that a missing or wrong one is told in the user's words and not as a fault of a file nobody
// wrote. Compiler thread only.

import {
  type CommonFlags,
  FunctionDeclaration,
  type Parser,
  type Program,
  type Statement,
} from "assemblyscript";
import { errorCategory, type ReportedDiagnostic, type SourceRange } from "./describe-diagnostic.ts";

export const entryName = "mayfly-entry.ts";
const exportsName = "mayfly-exports.ts";

// The compiler's enums have no value outside it; the type fails to compile when the number changes.
const exported: CommonFlags.Export = 2;

const wanted = "export function handle(req: Request): Response";

/** The generated entry for a user's file beside it. */
export function functionEntry(userSource: string): string {
  return [
    `import { handle } from ${moduleName(userSource)};`,
    'import { receive } from "mayfly/call";',
    "export function mayfly_handle(length: i32): void {",
    "  handle(receive(length)).send();",
    "}",
    "",
  ].join("\n");
}

/** Thrown through the compiler when the user's file exports no `handle`. */
export class HandleMissing extends Error {
  readonly diagnostic: ReportedDiagnostic;

  constructor(diagnostic: ReportedDiagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

export class HandleEntry {
  readonly #userSource: string;
  #handle: SourceRange | null = null;

  constructor(userSource: string) {
    this.#userSource = userSource;
  }

  transform(): object {
    return {
      afterParse: (parser: Parser) => this.#exportOthers(parser),
      afterInitialize: (program: Program) => this.#findHandle(program),
    };
  }

  /** An error in the generated entry means that `handle` does not fit it. */
  explain(reported: ReportedDiagnostic): ReportedDiagnostic {
    if (reported.range?.source?.normalizedPath !== entryName) return reported;
    const message = `handle takes one Request and returns a Response; write: ${wanted}`;
    return { ...reported, code: 0, message, range: this.#handle };
  }

  /** The other exported functions stay exports of the module; `mayfly call` and the host may use them. */
  #exportOthers(parser: Parser): void {
    const source = parser.sources.find((candidate) => candidate.normalizedPath === this.#userSource);
    const names = (source?.statements ?? [])
      .filter(isExportedFunction)
      .map((statement) => statement.name.text);
    const others = names.filter((name) => name !== "handle" && name !== "mayfly_handle");
    if (others.length === 0) return;
    const text = `export { ${others.join(", ")} } from ${moduleName(this.#userSource)};\n`;
    parser.parseFile(text, exportsName, true);
  }

  #findHandle(program: Program): void {
    const file = program.filesByName.get(this.#userSource.replace(/\.ts$/, ""));
    const found = file?.lookupExport("handle");
    if (file === undefined || found === null || found === undefined) {
      const message = `the file exports no function "handle"; write: ${wanted}`;
      const range = file === undefined ? null : { start: 0, end: 0, source: file.source };
      throw new HandleMissing({ code: 0, category: errorCategory, message, range });
    }
    const { start, end, source } = found.identifierNode.range;
    this.#handle = { start, end, source: { normalizedPath: source.normalizedPath, text: source.text } };
  }
}

function isExportedFunction(statement: Statement): statement is FunctionDeclaration {
  return statement instanceof FunctionDeclaration && statement.is(exported) && !statement.isGeneric;
}

function moduleName(userSource: string): string {
  return JSON.stringify(`./${userSource.replace(/\.ts$/, "")}`);
}
