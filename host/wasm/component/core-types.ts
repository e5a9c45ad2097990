// The core type of a function that one of a component's core instances exports.

import type { CoreStep, ExportRef } from "../../component-plan.ts";
import type { FunctionType, ModuleInspection } from "../inspection.ts";
import { malformed } from "../read-fault.ts";
import { wanted } from "./scope.ts";

/** Throws a ReadFault when there is no such function. */
export function coreFunctionType(
  { instance, name }: ExportRef,
  steps: readonly CoreStep[],
  modules: readonly { readonly inspection: ModuleInspection }[],
): FunctionType {
  const module = modules[steps[instance]?.module ?? -1];
  const type = module?.inspection.exports.find((exported) => exported.name === name)?.type;
  if (type === undefined || type === null) throw malformed("a core instance lacks a function", null, wanted);
  return type;
}
