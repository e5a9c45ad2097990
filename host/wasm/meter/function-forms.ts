// Chooses for each defined function how the countdown gets into it and out again, and where the
// function ends up in the metered module.
//
//   bare    no checks of its own; its callers count it
//   passed  the countdown is one more parameter and one more result, so it stays in a register; when
//           the function is also reached by reference, a wrapper with the old signature is appended
//   stored  the old signature; the countdown is in a global at entry and exit

import type { CallGraph, TailCall } from "./call-graph.ts";
import { checkedCallee } from "./costs.ts";
import type { ModuleIndex } from "./module-index.ts";

export const form = { bare: 0, passed: 1, stored: 2 } as const;

/** V8 has 1,000 parameters and results at most (kV8MaxWasmFunctionParams, kV8MaxWasmFunctionReturns). */
const signatureTypesMax = 1_000;

/** By function: its form. Imports are bare. */
export function chooseForms(module: ModuleIndex, graph: CallGraph): Uint8Array {
  const forms = new Uint8Array(module.functionTypes.length);
  for (let index = module.importedFunctions; index < forms.length; index += 1) {
    if (graph.costs[index] !== checkedCallee) continue;
    const { paramCount, resultCount } = module.signatureOf(index);
    const fits = Math.max(paramCount, resultCount) < signatureTypesMax;
    forms[index] = fits && graph.isCalled[index] === 1 ? form.passed : form.stored;
  }
  for (const caller of graph.indirectTailCallers) forms[caller] = form.stored;
  // A call and a return in its place would not do: a try block around it would catch what the callee throws.
  for (const { caller, callee } of graph.tailCalls) {
    if (forms[callee] === form.bare && forms[caller] === form.passed) forms[caller] = form.stored;
  }
  storeTailCallers(forms, graph.tailCalls);
  return forms;
}

/**
 * A tail call must keep its caller's results: a function that ends in a stored one cannot itself have
 * the countdown as a result.
 */
function storeTailCallers(forms: Uint8Array, tailCalls: readonly TailCall[]): void {
  const callers = new Map<number, number[]>();
  for (const { caller, callee } of tailCalls) {
    const known = callers.get(callee);
    if (known === undefined) callers.set(callee, [caller]);
    else known.push(caller);
  }
  const open = [...callers.keys()].filter((callee) => forms[callee] === form.stored);
  for (let callee = open.pop(); callee !== undefined; callee = open.pop()) {
    for (const caller of callers.get(callee) ?? []) {
      if (forms[caller] === form.stored) continue;
      forms[caller] = form.stored;
      open.push(caller);
    }
  }
}
