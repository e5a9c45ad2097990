// An import that has its guest wait now and then, and costs no more than a plain one when it does not: the
// engine suspends whoever calls a suspending import, whatever that answers, which takes several times as long
// as a short call. So the guest calls one function, and only if that answers that it would wait another that
// suspends; between the two lie a few instructions, as JavaScript may not be on a stack that is suspended:
//
//   (module
//     (type $call (func (param i32 i32 i32 i32) (result i32)))
//     (import "h" "n" (func $now (type $call)))
//     (import "h" "l" (func $later (type $call)))
//     (func (export "c") (type $call) (local $answer i32)
//       (local.set $answer
//         (call $now (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
//       (if (result i32) (i32.eq (local.get $answer) (i32.const -1))
//         (then (call $later (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
//         (else (local.get $answer)))))

import { Suspending } from "./jspi.ts";

/** The text above, assembled (test/worker/may-wait.test.ts). */
export const helperBytes = Buffer.from(
  "AGFzbQEAAAABCQFgBH9/f38BfwINAgFoAW4AAAFoAWwAAAMCAQAHBQEBYwACCicBJQEBfyAAIAEgAiADEAAhBCAEQX9GBH8gACABIAIgAxABBSAECws=",
  "base64",
);

/** What a call answers that would have to wait, and has done nothing; no answer of its own is negative. */
export const wouldWait = -1;

const helper = new WebAssembly.Module(helperBytes);

/** The import for both, of type (i32, i32, i32, i32) -> i32. */
export function mayWait(
  now: (...args: never[]) => unknown,
  later: (...args: never[]) => unknown,
): WebAssembly.ImportValue {
  const imports = { h: { n: now, l: new Suspending(later) } };
  return new WebAssembly.Instance(helper, imports).exports["c"] as WebAssembly.ImportValue;
}
