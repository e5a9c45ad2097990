// Sorts the functions of a module into those that need no checks and those that do. A function needs
// none when it has no loop, no try block, no bulk operation and no indirect call, is part of no
// recursion, calls only such functions, and its longest path, callees included, is short.

import { WasmRefusal } from "../refusal.ts";
import { Charges } from "./charges.ts";
import { checkedCallee, hostCallee, uncheckedCostMax } from "./costs.ts";
import { FunctionCode } from "./function-code.ts";
import { isCall, Loops } from "./loops.ts";
import type { ModuleIndex } from "./module-index.ts";
import { isBulk, opcode } from "./opcode.ts";

export type TailCall = { readonly caller: number; readonly callee: number };

export class CallGraph {
  /** By function: what its callers count for it, or `checkedCallee`, or `hostCallee`. */
  readonly costs: Int32Array;
  /** By function: 1 when a direct call leads to it. */
  readonly isCalled: Uint8Array;
  /** By function: 1 when code, a table, an export or a global holds a reference to it. */
  readonly isReferenced: Uint8Array;
  /** Direct tail calls between defined functions. */
  readonly tailCalls: TailCall[] = [];
  /** Functions with tail calls through a table or a reference. */
  readonly indirectTailCallers: number[] = [];

  private readonly module: ModuleIndex;
  private readonly callsGuests: boolean;
  private readonly code: FunctionCode;
  private readonly loops = new Loops();
  private readonly charges = new Charges();
  /** Callees of each defined function: from calleeStarts[n] up to calleeStarts[n + 1]. */
  private readonly callees: number[] = [];
  private readonly calleeStarts: number[] = [0];

  /** `callsGuests`: an import may run long, and lead back here. */
  constructor(module: ModuleIndex, callsGuests: boolean) {
    const functions = module.functionTypes.length;
    this.module = module;
    this.callsGuests = callsGuests;
    this.code = new FunctionCode(module.bytes);
    this.costs = new Int32Array(functions).fill(hostCallee, 0, module.importedFunctions);
    this.isCalled = new Uint8Array(functions);
    this.isReferenced = new Uint8Array(functions);
    for (const references of module.references.values()) {
      for (const { index } of references) this.isReferenced[index] = 1;
    }
    for (let index = module.importedFunctions; index < functions; index += 1) this.scan(index);
    this.order();
  }

  /** What a call of a function counts for its caller. */
  direct(functionIndex: number): number {
    return this.costs[functionIndex] as number;
  }

  /** Functions with indirect calls have checks; this is not asked of others. */
  isIndirectChecked(): boolean {
    return true;
  }

  indirectCost(): number {
    return 0;
  }

  /** Loads the body of a defined function. */
  load(code: FunctionCode, functionIndex: number): void {
    const { bodies, importedFunctions } = this.module;
    const at = (functionIndex - importedFunctions) * 2;
    code.load(bodies[at] as number, bodies[at + 1] as number);
  }

  private scan(functionIndex: number): void {
    const { code } = this;
    this.load(code, functionIndex);
    let needsChecks = false;
    for (let at = 0; at < code.count; at += 1) {
      const instruction = code.opcodes[at] as number;
      if (instruction === opcode.refFunc) this.isReferenced[code.indices[at] as number] = 1;
      else if (isCall(instruction)) needsChecks = this.scanCall(functionIndex, at) || needsChecks;
      else if (isBulk(instruction) || instruction === opcode.try || instruction === opcode.tryTable)
        needsChecks = true;
    }
    this.calleeStarts.push(this.callees.length);
    if (needsChecks) this.costs[functionIndex] = checkedCallee;
  }

  /** Notes a call; true for one through a table or a reference. */
  private scanCall(caller: number, at: number): boolean {
    const instruction = this.code.opcodes[at] as number;
    const callee = this.code.indices[at] as number;
    if (instruction === opcode.call || instruction === opcode.returnCall) {
      this.isCalled[callee] = 1;
      if (instruction === opcode.returnCall) this.checkTailCall(caller, callee, at);
      if (instruction === opcode.returnCall) this.tailCalls.push({ caller, callee });
      if (callee < this.module.importedFunctions) return this.callsGuests;
      this.callees.push(callee);
      return false;
    }
    if (instruction !== opcode.callIndirect && instruction !== opcode.callRef)
      this.indirectTailCallers.push(caller);
    return true;
  }

  /** V8 would see the forms of caller and callee, whose results may fit when the guest's do not. */
  private checkTailCall(caller: number, callee: number, at: number): void {
    const { module } = this;
    const [own, other] = [module.signatureOf(caller).resultCount, module.signatureOf(callee).resultCount];
    if (own === other) return;
    const offset = this.code.offsets[at] as number;
    throw new WasmRefusal(
      "invalid_module",
      `Cannot read the module: a tail call to ${other} results in function ${caller} at byte ${offset}, which has ${own}, wanted a valid WebAssembly module`,
      { feature: null, functionIndex: caller, offset },
    );
  }

  /**
   * Tarjan's algorithm, without recursion: strongly connected components come out callees first. A
   * component of several functions, or of one that calls itself, is a recursion.
   */
  private order(): void {
    const { importedFunctions, functionTypes } = this.module;
    const defined = functionTypes.length - importedFunctions;
    const visited = new Int32Array(defined);
    const lowest = new Int32Array(defined);
    const next = new Int32Array(defined);
    const onStack = new Uint8Array(defined);
    const stack: number[] = [];
    const path: number[] = [];
    let counter = 0;
    for (let root = 0; root < defined; root += 1) {
      if (visited[root] !== 0) continue;
      path.push(root);
      while (path.length > 0) {
        const node = path[path.length - 1] as number;
        if (visited[node] === 0) {
          counter += 1;
          visited[node] = counter;
          lowest[node] = counter;
          next[node] = this.calleeStarts[node] as number;
          onStack[node] = 1;
          stack.push(node);
        }
        const callee = this.nextCallee(node, next);
        if (callee !== undefined) {
          if (visited[callee] === 0) path.push(callee);
          else if (onStack[callee] === 1)
            lowest[node] = Math.min(lowest[node] as number, visited[callee] as number);
          continue;
        }
        path.pop();
        const caller = path.at(-1);
        if (caller !== undefined) lowest[caller] = Math.min(lowest[caller] as number, lowest[node] as number);
        if (lowest[node] === visited[node]) this.settle(node, stack, onStack);
      }
    }
  }

  private nextCallee(node: number, next: Int32Array): number | undefined {
    const at = next[node] as number;
    if (at >= (this.calleeStarts[node + 1] as number)) return undefined;
    next[node] = at + 1;
    return (this.callees[at] as number) - this.module.importedFunctions;
  }

  /** Takes the component of `node` off the stack; its callees have been settled before. */
  private settle(node: number, stack: number[], onStack: Uint8Array): void {
    const isSingle = stack.at(-1) === node;
    for (;;) {
      const member = stack.pop() as number;
      onStack[member] = 0;
      const functionIndex = member + this.module.importedFunctions;
      if (!isSingle || this.callsItself(member)) this.costs[functionIndex] = checkedCallee;
      else if (this.costs[functionIndex] !== checkedCallee)
        this.costs[functionIndex] = this.longestWay(functionIndex);
      if (member === node) return;
    }
  }

  private callsItself(member: number): boolean {
    const itself = member + this.module.importedFunctions;
    for (
      let at = this.calleeStarts[member] as number;
      at < (this.calleeStarts[member + 1] as number);
      at += 1
    )
      if (this.callees[at] === itself) return true;
    return false;
  }

  /** The longest path of a function that needs checks for nothing but its length, or `checkedCallee`. */
  private longestWay(functionIndex: number): number {
    const { code, loops, charges } = this;
    for (let at = this.calleeStarts[functionIndex - this.module.importedFunctions] as number; ; at += 1) {
      if (at >= (this.calleeStarts[functionIndex - this.module.importedFunctions + 1] as number)) break;
      if (this.costs[this.callees[at] as number] === checkedCallee) return checkedCallee;
    }
    this.load(code, functionIndex);
    loops.find(code, () => false);
    if (loops.any) return checkedCallee;
    const cost = charges.longestWay(code, loops, this);
    return cost > uncheckedCostMax ? checkedCallee : cost;
  }
}
