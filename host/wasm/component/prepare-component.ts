// The form of a component that workers compile: each of its core modules rewritten as an upload of its own is
// (../prepare.ts), with one difference. What a module imports may be code of another one, of which it cannot
// know how long it runs: a function that calls an import is never without checks.

import { prepareModule } from "../prepare.ts";
import type { ComponentInspection } from "./inspect-component.ts";

export type PreparedComponent = {
  /** In the order of the plan's modules. */
  readonly modules: readonly Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
  /** Whether an instance can be set back to an image: its whole state is its memory and its globals. */
  readonly resettable: boolean;
};

/** Throws a WasmRefusal, as `prepareModule` does. */
export function prepareComponent({ modules }: ComponentInspection): PreparedComponent {
  const prepared = modules.map(({ bytes, inspection }) =>
    prepareModule(bytes, inspection, { meter: true, callsGuests: true }),
  );
  return {
    modules: prepared,
    bytes: prepared.reduce((sum, { byteLength }) => sum + byteLength, 0),
    resettable: modules.every(({ inspection }) => inspection.resettableGlobals !== null),
  };
}
