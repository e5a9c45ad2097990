// The names by which the host and the form of a module that it prepares know each other. An upload
// that imports from this module name, or exports a name that begins like these, is refused.

/** Import module name under which the host supplies the memory and the check. */
export const hostModuleName = "mayfly:host";
/** Field name of the memory under `hostModuleName`. */
export const hostMemoryName = "memory";
/**
 * Field name, under `hostModuleName`, of the function () -> (i32) that metered guests call about every
 * 100,000 instructions: 0 lets the call go on, anything else ends it with a trap. It may be a plain
 * function or a `WebAssembly.Suspending`; a metered module that needs no checks does not import it.
 */
export const checkName = "check";
/** Export name of the i32 global that is 0 and becomes 1 once a memory.grow was refused. */
export const growRefusedName = "mayfly:grow_refused";
/** Export name of the start function of a metered module, () -> (): it does not run by itself. */
export const startName = "mayfly:start";
/** Export names of the mutable globals begin so, when an instance can be reset (`wasm/inspection.ts`). */
export const globalPrefix = "mayfly:global:";
