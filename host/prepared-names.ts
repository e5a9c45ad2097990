// The names by which the host and the form of a module that it prepares know each other. An upload
// that imports from this module name, or exports a name that begins like these, is refused.

/** Import module name under which the host supplies the memory and the check. */
export const hostModuleName = "mayfly:host";
/** Field name of the memory under `hostModuleName`. */
export const hostMemoryName = "memory";
/**
 * Field name, under `hostModuleName`, of the function () -> (i32) that metered guests call about every
 * 100,000 instructions; it answers one of `verdict`. A module that needs no checks imports neither it
 * nor `pauseName`, `growName` and `turnName`.
 */
export const checkName = "check";
/**
 * Field name, under `hostModuleName`, of the function () -> (i32) that a guest calls which is to let
 * others run: 0 lets it go on, anything else ends it with a trap. Only it need be a
 * `WebAssembly.Suspending`: a call of such a function costs thirty times that of a plain one.
 */
export const pauseName = "pause";
/**
 * Field name, under `hostModuleName`, of the function (i32) -> (i32) that a metered guest asks before
 * its memory grows by so many pages: 0 when the host has no room for them. Imported only where the
 * module uses memory.grow.
 */
export const growName = "grow";
/**
 * Field name, under `hostModuleName`, of the function () -> (i32) that a metered guest asks after each
 * call of an import that takes an i32, and so may move many bytes; it answers as the check does.
 */
export const turnName = "turn";
/** What the check tells a guest. */
export const verdict = { goOn: 0, stop: 1, pause: 2 } as const;
export type Verdict = (typeof verdict)[keyof typeof verdict];
/** Export name of the i32 global that is 0 until a memory.grow was refused, then one of `refusedBy`. */
export const growRefusedName = "mayfly:grow_refused";
/** Whose bound refused the last memory.grow that was refused: the memory's own maximum, or the host's room. */
export const refusedBy = { maximum: 1, host: 2 } as const;
/** Export name of the start function of a metered module, () -> (): it does not run by itself. */
export const startName = "mayfly:start";
/** Export names of the mutable globals begin so, when an instance can be reset (`wasm/inspection.ts`). */
export const globalPrefix = "mayfly:global:";
