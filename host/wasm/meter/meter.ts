// Metering: between any two checks a guest runs about 100,000 instructions at most, whatever it is
// made of. `prepare.ts` asks for a plan, hands in what it appends itself, and gets rewritten sections.
// docs/decisions/0010-metering.md says why it is done in this way and what it costs.
//
// A countdown runs along with the guest: in a local of each function with checks, and from function
// to function as one more parameter and result, or in a global. Each charge takes off what the
// longest way to the next charges may run; below zero the host is asked, and the countdown renewed.
//
// The bound. Between two checks a guest runs at most `periodInstructions` (90,000), and what was paid
// for before the first of them and runs after it: of the running function at most 256 for each loop it
// is in (`stepCostMax` + an unchecked call, or all turns of a repeated loop body), and `tailCostMax` (4)
// of each function below it on the stack. One bulk operation may run beyond it, by its whole length. What
// an import does is counted by nobody: behind each that may move many bytes the host is asked by itself.

import { limits } from "../../limits.ts";
import { checkName, growName, hostModuleName, pauseName, turnName } from "../../prepared-names.ts";
import type { Additions } from "../additions.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { growType } from "../memory-grow.ts";
import { WasmRefusal } from "../refusal.ts";
import type { Section } from "../sections.ts";
import { AppendedTypes } from "./appended-types.ts";
import { BodyWriter } from "./body-writer.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import { CallGraph } from "./call-graph.ts";
import { Callees } from "./callees.ts";
import { Charges } from "./charges.ts";
import { checkedCallee } from "./costs.ts";
import { CountdownWriter } from "./countdown-writer.ts";
import { FunctionCode } from "./function-code.ts";
import { chooseForms, form } from "./function-forms.ts";
import {
  chargeBody,
  chargeType,
  fullCountdown,
  renewBody,
  turnBody,
  wrapperBody,
} from "./helper-functions.ts";
import { isCall, Loops } from "./loops.ts";
import { ModuleIndex, type Signature } from "./module-index.ts";
import type { RenamedFunctions } from "./names.ts";
import { opcode } from "./opcode.ts";

/** () -> (i32), the type of both, as an entry of the type section. */
const checkType = Uint8Array.of(0x60, 0, 1, 0x7f);

const i32 = 0x7f;

/** What is added to a function's locals at most. */
export const localsAdded = 2;

export class Metering {
  readonly module: ModuleIndex;
  /** Whether any function needs checks, or the memory grows; if not, the module stays as it is. */
  readonly isNeeded: boolean;
  /** Functions that it imports besides its own. */
  readonly imports: number;
  /** Index of the function that is asked before the memory grows; null when it does not. */
  readonly askFunction: number | null;
  /** By function of the upload: its index in the metered module. */
  readonly callTargets: Int32Array;
  /** The same for references to it, and for calls of an import: its wrapper, where there is one. */
  readonly referenceTargets: Int32Array;
  /** Wrappers, in the order they are appended: the function of the upload each stands for. */
  readonly wrapped: number[] = [];
  /** Type index of each defined function in the metered module. */
  readonly typeIndices: number[] = [];
  /** What is appended (`Helpers`); -1 before. */
  renewFunction = -1;
  chargeFunction = -1;
  countdownGlobal = -1;

  private readonly graph: CallGraph;
  private readonly forms: Uint8Array;
  private types: AppendedTypes | null = null;
  /** Imports of the upload that may move many bytes. */
  private readonly moving: number[] = [];

  /** `grows` says whether the module uses memory.grow, `callsGuests` whether its imports may be guests' code. */
  constructor(
    bytes: Uint8Array,
    sections: readonly Section[],
    { grows, callsGuests }: { readonly grows: boolean; readonly callsGuests: boolean },
  ) {
    this.module = new ModuleIndex(bytes, sections);
    this.graph = new CallGraph(this.module, callsGuests);
    this.forms = chooseForms(this.module, this.graph);
    this.isNeeded = grows || this.forms.some((chosen) => chosen !== form.bare);
    const { importedFunctions, functionTypes } = this.module;
    this.askFunction = grows ? importedFunctions + 2 : null;
    for (let index = 0; index < importedFunctions; index += 1) {
      if (takesPointers(this.module.signatureOf(index))) this.moving.push(index);
    }
    const shift = this.isNeeded ? 2 + Number(grows) + Number(this.moving.length > 0) : 0;
    this.imports = shift;
    this.callTargets = Int32Array.from(functionTypes, (_, index) =>
      index < importedFunctions ? index : index + shift,
    );
    this.referenceTargets = this.callTargets.slice();
    this.typeIndices = functionTypes.slice(importedFunctions);
  }

  /** Appends the imports, their helper, the countdown, wrappers and types. */
  append(additions: Additions): void {
    if (!this.isNeeded) return;
    const { module, graph, forms, callTargets } = this;
    const checkTypeIndex = additions.type(checkType);
    additions.importFunction(hostModuleName, checkName, checkTypeIndex);
    additions.importFunction(hostModuleName, pauseName, checkTypeIndex);
    if (this.askFunction !== null) {
      additions.importFunction(hostModuleName, growName, additions.type(growType));
    }
    this.countdownGlobal = additions.global(fullCountdown());
    const checkFunction = module.importedFunctions;
    this.renewFunction = additions.function(checkTypeIndex, renewBody(checkFunction, checkFunction + 1));
    this.chargeFunction = additions.function(additions.type(chargeType), chargeBody(this.renewFunction));
    this.appendTurns(additions, checkTypeIndex);
    this.types = new AppendedTypes(module, additions);
    const needsWrapper = graph.isReferenced.slice();
    for (const { caller, callee } of graph.tailCalls) {
      if (forms[caller] === form.stored) needsWrapper[callee] = 1;
    }
    for (const [index, chosen] of forms.entries()) {
      if (chosen === form.bare) continue;
      const typeIndex = module.functionTypes[index] as number;
      this.types.resultBlock(typeIndex);
      if (chosen !== form.passed) continue;
      this.typeIndices[index - module.importedFunctions] = this.types.passedType(typeIndex);
      if (needsWrapper[index] === 0) continue;
      const { paramCount } = module.signature(typeIndex);
      const body = wrapperBody(paramCount, callTargets[index] as number, this.countdownGlobal);
      this.referenceTargets[index] = additions.function(typeIndex, body);
      this.wrapped.push(index);
    }
  }

  /** Puts the question whether to go on behind each import that may move many bytes. */
  private appendTurns(additions: Additions, checkTypeIndex: number): void {
    const { module, imports, moving } = this;
    if (moving.length === 0) return;
    additions.importFunction(hostModuleName, turnName, checkTypeIndex);
    const turnImport = module.importedFunctions + imports - 1;
    const pauseImport = module.importedFunctions + 1;
    const turnFunction = additions.function(checkTypeIndex, renewBody(turnImport, pauseImport));
    for (const index of moving) {
      const typeIndex = module.functionTypes[index] as number;
      const body = turnBody(module.signature(typeIndex).paramCount, index, turnFunction);
      this.referenceTargets[index] = additions.function(typeIndex, body);
    }
  }

  /** How functions are renumbered, for their names. */
  get renamed(): RenamedFunctions {
    return { targets: this.callTargets, wrapped: this.wrapped, wrappers: this.referenceTargets };
  }

  /** The rewritten bodies, and the content of a branch hint section for them. */
  bodies(growFunction: number): { readonly code: BinaryWriter; readonly hints: BinaryWriter } {
    const { module, graph, forms } = this;
    const source = new FunctionCode(module.bytes);
    const loops = new Loops();
    const charges = new Charges();
    const out = new ByteBuffer();
    const callees = new Callees(module, graph);
    const countdown = new CountdownWriter(out, this);
    const writer = new BodyWriter(
      out,
      {
        callTargets: this.callTargets,
        referenceTargets: this.referenceTargets,
        forms,
        callees,
        parameterCount: (typeIndex) => module.signature(typeIndex).paramCount,
        growFunction,
      },
      countdown,
      source,
      charges,
      loops,
    );
    const code = new BinaryWriter();
    const hints = new BinaryWriter();
    let hinted = 0;
    for (let index = module.importedFunctions; index < forms.length; index += 1) {
      graph.load(source, index);
      const typeIndex = module.functionTypes[index] as number;
      const { paramCount } = module.signature(typeIndex);
      const chosen = forms[index] as number;
      if (chosen !== form.bare) {
        checkLocals(paramCount + source.locals, index, source.start);
        loops.find(source, (at) => isCheckedCall(source, at, callees));
        charges.plan(source, loops, callees);
      }
      const resultBlock = this.types?.resultBlock(typeIndex) ?? new Uint8Array(0);
      writer.write({ form: chosen, parameterCount: paramCount, resultBlock });
      code.u32(out.length).append(out.finish());
      if (countdown.seldom.length === 0) continue;
      hinted += 1;
      appendHints(hints, this.callTargets[index] as number, countdown.seldom);
    }
    return { code, hints: new BinaryWriter().u32(hinted).append(hints.finish()) };
  }
}

/** Numbers of 32 bits are what pointers and lengths are. */
function takesPointers({ params }: Signature): boolean {
  return params.includes(i32);
}

function isCheckedCall(code: FunctionCode, at: number, callees: Callees): boolean {
  const instruction = code.opcodes[at] as number;
  const index = code.indices[at] as number;
  if (instruction === opcode.call || instruction === opcode.returnCall)
    return callees.direct(index) === checkedCallee;
  return isCall(instruction) && callees.isIndirectChecked(index);
}

/** One function's hints: each inserted `if` is seldom taken. Branch Hinting, section "Binary format". */
function appendHints(hints: BinaryWriter, functionIndex: number, offsets: readonly number[]): void {
  const bytes = new ByteBuffer();
  bytes.u32(functionIndex);
  bytes.u32(offsets.length);
  for (const offset of offsets) {
    bytes.u32(offset);
    bytes.u8(1);
    bytes.u8(0);
  }
  hints.append(bytes.finish());
}

function checkLocals(locals: number, functionIndex: number, offset: number): void {
  const most = limits.wasmLocalsMax - localsAdded;
  if (locals <= most) return;
  throw new WasmRefusal(
    "unsupported_feature",
    `Cannot meter the module: there are ${locals} locals in function ${functionIndex} at byte ${offset}, limit is ${most}`,
    { feature: "wasmLocalsMax", functionIndex, offset },
  );
}

/** `content` with each reference to a function replaced. */
export function replaceReferences(
  bytes: Uint8Array,
  start: number,
  end: number,
  references: readonly { readonly start: number; readonly end: number; readonly index: number }[],
  targets: Int32Array,
): Uint8Array {
  const out = new ByteBuffer();
  let from = start;
  for (const reference of references) {
    out.copy(bytes, from, reference.start);
    out.u32(targets[reference.index] as number);
    from = reference.end;
  }
  out.copy(bytes, from, end);
  return out.finish();
}
