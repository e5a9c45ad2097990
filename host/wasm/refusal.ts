// The one error that leaves `host/wasm/`: an upload that cannot be read or cannot be contained.
// The deployer turns it into a HostError of the same code; the message is shown to the caller, so
// everything in it that comes from the guest is printable ASCII and bounded.

export type RefusalCode = "invalid_module" | "unsupported_feature";

export type RefusalDetails = {
  /** The feature (`inspection.ts`, features) or the limit's name in `limits.ts`; null for invalid_module. */
  readonly feature: string | null;
  /** Index of the function with imports counted first, when the cause is in code. */
  readonly functionIndex: number | null;
  /** Byte offset in the module, when there is one. */
  readonly offset: number | null;
};

/** Refuses an upload; `message` says what was attempted, what was found and what is wanted. */
export class WasmRefusal extends Error {
  readonly code: RefusalCode;
  readonly feature: string | null;
  readonly functionIndex: number | null;
  readonly offset: number | null;

  constructor(code: RefusalCode, message: string, details: RefusalDetails) {
    super(message);
    this.name = "WasmRefusal";
    this.code = code;
    this.feature = details.feature;
    this.functionIndex = details.functionIndex;
    this.offset = details.offset;
  }
}
