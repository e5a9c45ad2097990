// Runs an export from its first instruction to its last before anything else happens on the thread, on
// the same kind of stack that guests have on threads of their own, so that recursion goes as deep; and
// ends a guest from within a host call. Both take a module of a few instructions:
//
//   (module
//     (import "h" "d" (func $returned))
//     (type $start (func))
//     (type $entry (func (param i32)))
//     (type $handler (func (param i32 i32)))
//     (table $t 1 funcref)
//     (func (export "s") (param funcref)
//       (table.set $t (i32.const 0) (local.get 0))
//       (call_indirect $t (type $start) (i32.const 0))
//       (call $returned))
//     (func (export "e") (param funcref i32)
//       (table.set $t (i32.const 0) (local.get 0))
//       (call_indirect $t (type $entry) (local.get 1) (i32.const 0))
//       (call $returned))
//     (func (export "r") (param funcref i32 i32)
//       (table.set $t (i32.const 0) (local.get 0))
//       (call_indirect $t (type $handler) (local.get 1) (local.get 2) (i32.const 0))
//       (call $returned))
//     (func (export "t") unreachable))

import { promising } from "./jspi.ts";

/** The text above, assembled (test/worker/at-once.test.ts). */
export const helperBytes = Buffer.from(
  "AGFzbQEAAAABHAZgAABgAX8AYAJ/fwBgAXAAYAJwfwBgA3B/fwACBwEBaAFkAAADBQQDBAUABAQBcAABBxEEAXMAAQFlAAIBcgADAXQABAo7BA8AQQAgACYAQQARAAAQAAsRAEEAIAAmACABQQARAQAQAAsTAEEAIAAmACABIAJBABECABAACwMAAAs=",
  "base64",
);

type GuestFunction = (...args: never[]) => unknown;

let returned = false;
const helper = new WebAssembly.Instance(new WebAssembly.Module(helperBytes), {
  h: {
    d: () => {
      returned = true;
    },
  },
}).exports as {
  s(start: GuestFunction): void;
  e(entry: GuestFunction, argument: number): void;
  r(handler: GuestFunction, one: number, other: number): void;
  t(): never;
};

const onOwnStack = {
  start: promising(helper.s),
  entry: promising(helper.e),
  handler: promising(helper.r),
};

/** Tells whether an export came to its end. A trap is told by the promise as well, and later. */
function ended(told: Promise<void>): boolean {
  if (!returned) told.catch(() => {});
  return returned;
}

/** Runs an export () -> (); false when it trapped. Nothing it imports may suspend it. */
export function startsAtOnce(start: GuestFunction): boolean {
  returned = false;
  return ended(onOwnStack.start(start));
}

/** Runs an export (i32) -> (); false when it trapped. Nothing it imports may suspend it. */
export function entersAtOnce(entry: GuestFunction, argument: number): boolean {
  returned = false;
  return ended(onOwnStack.entry(entry, argument));
}

/** Runs an export (i32, i32) -> (); false when it trapped. Nothing it imports may suspend it. */
export function handlesAtOnce(handler: GuestFunction, one: number, other: number): boolean {
  returned = false;
  return ended(onOwnStack.handler(handler, one, other));
}

/**
 * Throws what a guest that calls the host cannot catch: V8 marks the error of a trap, and keeps the mark
 * when it comes through JavaScript, so that no `catch_all` sees it (docs/threat-model.md H10).
 */
export function trap(): never {
  return helper.t();
}
