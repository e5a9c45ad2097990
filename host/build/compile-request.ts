// What compile.ts asks of the compiler thread, and what it gets back; plain data both ways.

import type { Diagnostic } from "./build-error.ts";
import type { ModuleTypes } from "./module-types.ts";

export type CompileRequest = {
  /** `function` wraps the file's `handle` for the host, `module` compiles the file as it is. */
  readonly kind: "function" | "module";
  /** Absolute path of the user's file. */
  readonly file: string;
  /** Where relative paths in diagnostics start. */
  readonly workingDirectory: string;
  /** Nearest asconfig.json, absolute. */
  readonly config: string;
  /** Further command-line options of the compiler; they win over the configuration. */
  readonly options: readonly string[];
};

export type CompileAnswer = {
  /** Absent when there are errors. */
  readonly wasm?: Uint8Array<ArrayBuffer>;
  readonly types?: ModuleTypes;
  readonly diagnostics: readonly Diagnostic[];
};
