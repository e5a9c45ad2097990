// What a call counts for its caller: known for direct calls, and for calls through tables and
// references when no function of the signature that can be reached in that way has checks.

import type { CallGraph } from "./call-graph.ts";
import { checkedCallee, hostCallee } from "./costs.ts";
import type { ModuleIndex } from "./module-index.ts";

type Reached = { isChecked: boolean; cost: number };

/** The types i32, i64, f32, f64 and v128 as bytes; all others are references. */
const numberTypeFirst = 0x7b;
export class Callees {
  private readonly module: ModuleIndex;
  private readonly graph: CallGraph;
  /** By signature: the functions to which a reference exists. */
  private readonly reached = new Map<string, Reached>();
  /** References to functions that are not known here may get in. */
  private readonly isOpen: boolean;
  /** By type index: the key of its signature, as far as it has been asked for. */
  private readonly keys: string[] = [];
  private readonly costMax: number;

  constructor(module: ModuleIndex, graph: CallGraph) {
    this.module = module;
    this.graph = graph;
    this.isOpen = module.sharesReferences || this.passesReferences();
    for (const [index, cost] of graph.costs.entries()) {
      if (graph.isReferenced[index] === 0) continue;
      const key = this.key(module.functionTypes[index] as number);
      const known = this.reached.get(key) ?? { isChecked: false, cost: 0 };
      known.isChecked ||= cost === checkedCallee || cost === hostCallee;
      known.cost = Math.max(known.cost, cost);
      this.reached.set(key, known);
    }
    this.costMax = this.reached.values().reduce((most, { cost }) => Math.max(most, cost), 0);
  }

  /** Of a function: what callers count, or `checkedCallee`, or `hostCallee`. */
  direct(functionIndex: number): number {
    return this.graph.costs[functionIndex] as number;
  }

  /** Of a signature: whether a call through a table or a reference may run checks of its own. */
  isIndirectChecked(typeIndex: number): boolean {
    const key = this.key(typeIndex);
    return this.isOpen || key === "" || (this.reached.get(key)?.isChecked ?? false);
  }

  /** The most that an unchecked function counts that is reached through a table or a reference. */
  indirectCost(typeIndex: number): number {
    const key = this.key(typeIndex);
    return key === "" ? this.costMax : (this.reached.get(key)?.cost ?? 0);
  }

  private key(typeIndex: number): string {
    this.keys[typeIndex] ??= signatureKey(this.module, typeIndex);
    return this.keys[typeIndex];
  }

  /** Whether a reference may come in as an import's result or an export's parameter. */
  private passesReferences(): boolean {
    const { module } = this;
    for (let index = 0; index < module.importedFunctions; index += 1) {
      if (hasReference(module.signatureOf(index).results)) return true;
    }
    return module.exportedFunctions.some((index) => hasReference(module.signatureOf(index).params));
  }
}

function hasReference(types: Uint8Array): boolean {
  return types.some((type) => type < numberTypeFirst || type > 0x7f);
}

/** The same text for the same signature; "" for one with references, which have several spellings. */
function signatureKey(module: ModuleIndex, typeIndex: number): string {
  const { params, results } = module.signature(typeIndex);
  if (hasReference(params) || hasReference(results)) return "";
  return `(${params.join(" ")}) -> (${results.join(" ")})`;
}
