// How the core modules of a component are linked, as plain data: what reading a component finds out
// (wasm/component/), and what a worker makes instances by. No names of a component become code; they are
// keys of this plan alone. No I/O.

/** An export of a core instance that the plan makes. */
export type ExportRef = { readonly instance: number; readonly name: string };

/** What a core instance is given for one of its imports. */
export type CoreSource =
  | { readonly kind: "export"; readonly of: ExportRef }
  /** A function of an interface that the host implements, lowered to core WebAssembly. */
  | {
      readonly kind: "host";
      /** As the component names it, "wasi:io/streams@0.2.3". */
      readonly interface: string;
      readonly name: string;
      /** By which the host allocates memory in the guest, for what it answers. */
      readonly realloc: ExportRef | null;
    }
  /** The end of a handle to a resource of the host's. */
  | { readonly kind: "drop"; readonly interface: string; readonly resource: string };

export type CoreImport = { readonly module: string; readonly name: string; readonly source: CoreSource };

/** One core instance; `module` counts the component's core modules in the order they are used. */
export type CoreStep = { readonly module: number; readonly imports: readonly CoreImport[] };

export type ComponentPlan = {
  /** In the order in which they are made. */
  readonly steps: readonly CoreStep[];
  /** The core function that handles a request: (request i32, response-outparam i32) -> (). */
  readonly entry: ExportRef;
  /** What is run once that has returned, () -> (): its language's runtime tidies up there. */
  readonly postReturn: ExportRef | null;
};
