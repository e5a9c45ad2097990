// What reading a module finds out: the shape handed from `inspect.ts` to the deployer, the ABI check
// and `prepare.ts`. Types only. Indices are those of the uploaded bytes, imports counted first.

export type ExternalKind = "function" | "table" | "memory" | "global" | "tag";

/** Parameter and result types as the text format spells them: "i32", "externref", "(ref null 3)". */
export type FunctionType = { readonly params: readonly string[]; readonly results: readonly string[] };

export type ModuleImport = {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** The signature of a function or tag, else null. */
  readonly type: FunctionType | null;
};

export type ModuleExport = {
  readonly name: string;
  readonly kind: ExternalKind;
  /** Index in the index space of its kind. */
  readonly index: number;
  /** The signature of a function, else null. */
  readonly type: FunctionType | null;
};

export type ModuleMemory = {
  readonly imported: boolean;
  /** Declared minimum in pages of 64 KiB, at most 65,536 in a `ModuleInspection`. */
  readonly initialPages: number;
  /** Declared maximum in pages of 64 KiB, null when there is none. */
  readonly maximumPages: number | null;
};

export type ModuleTable = {
  readonly imported: boolean;
  readonly elementType: string;
  readonly initialElements: number;
  readonly maximumElements: number | null;
};

export type ModuleCounts = {
  readonly types: number;
  readonly imports: number;
  readonly importedFunctions: number;
  readonly importedGlobals: number;
  /** Defined ones, imports left out; the same for globals and tags. */
  readonly functions: number;
  readonly globals: number;
  readonly tags: number;
  readonly exports: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
};

export type CustomSection = {
  readonly name: string;
  /** Size of the whole section in bytes, its header included. */
  readonly bytes: number;
};

/** What a module asks for and offers, and the memories it has. */
export type ModuleDeclarations = {
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** None or one in a `ModuleInspection`: more is refused. */
  readonly memories: readonly ModuleMemory[];
};

export type ModuleInspection = ModuleDeclarations & {
  readonly tables: readonly ModuleTable[];
  readonly startFunction: number | null;
  readonly counts: ModuleCounts;
  readonly customSections: readonly CustomSection[];
  /** Names of the proposals beyond WebAssembly 1.0 that the module uses, sorted: "simd", "multi-value". */
  readonly features: readonly string[];
  readonly usesMemoryGrow: boolean;
  /**
   * Indices of the mutable globals, when they and the memory are all that a run can leave changed in
   * an instance; null when it can change what the host cannot set back: a table, a segment that is
   * dropped, a global whose type JavaScript cannot set.
   */
  readonly resettableGlobals: readonly number[] | null;
};
