// What the index spaces of a component hold while it is read: not values, but where each will come from
// once the component is linked. Types only, and their names in faults.

import type { CoreSource, ExportRef } from "../../component-plan.ts";
import type { Scope } from "./scope.ts";

export type CoreItem =
  | { readonly sort: "func"; readonly value: CoreSource }
  | { readonly sort: "table" | "memory" | "global"; readonly value: ExportRef };

/** An instance that a step of the plan makes, or a mere list of what others export. */
export type CoreInstance = number | ReadonlyMap<string, CoreItem>;

export type ComponentFunction =
  | { readonly kind: "import"; readonly interface: string; readonly name: string }
  | { readonly kind: "lifted"; readonly core: CoreSource; readonly postReturn: CoreSource | null };

/** Only resources have to be told apart. */
export type ComponentType =
  | { readonly kind: "resource"; readonly interface: string; readonly name: string }
  | { readonly kind: "own-resource" }
  | { readonly kind: "other" };

export type ComponentInstance =
  | { readonly kind: "import"; readonly interface: string }
  | { readonly kind: "exports"; readonly items: ReadonlyMap<string, ComponentItem> };

/** A nested component: its bytes, and the component it is written in. */
export type ComponentDefinition = { readonly start: number; readonly end: number; readonly within: Scope };

/** Bytes of a core module. */
export type ModuleBytes = { readonly start: number; readonly end: number };

export type ComponentItem =
  | { readonly sort: "func"; readonly value: ComponentFunction }
  | { readonly sort: "type"; readonly value: ComponentType }
  | { readonly sort: "instance"; readonly value: ComponentInstance }
  | { readonly sort: "component"; readonly value: ComponentDefinition }
  | { readonly sort: "module"; readonly value: ModuleBytes };

export type Sort = ComponentItem["sort"];
