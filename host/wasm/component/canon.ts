// Canonical definitions: where functions of the component model become core functions, and the other way
// round (component model, "CanonicalABI.md"). Those of WASI 0.2 alone: lift, lower, and the end of a handle.

import type { CoreSource, ExportRef } from "../../component-plan.ts";
import type { BinaryReader } from "../binary-reader.ts";
import { hex, malformed } from "../read-fault.ts";
import { asyncModel, unsupportedPart } from "./refusals.ts";
import { type Scope, wanted } from "./scope.ts";

type Options = { readonly realloc: ExportRef | null; readonly postReturn: CoreSource | null };

export class CanonReader {
  readonly #reader: BinaryReader;
  readonly #scope: Scope;

  constructor(reader: BinaryReader, scope: Scope) {
    this.#reader = reader;
    this.#scope = scope;
  }

  /** Reads one definition into the space it belongs to. */
  definition(): void {
    const offset = this.#reader.position;
    const form = this.#reader.u8();
    switch (form) {
      case 0x00:
        return this.#lift(offset);
      case 0x01:
        return this.#lower(offset);
      case 0x03:
        return this.#drop(offset);
      case 0x02:
      case 0x04:
        throw unsupportedPart("own-resources", "a resource that the component defines", offset);
      default:
        if (form > 0x2f) throw malformed(`a canonical definition begins with ${hex(form)}`, offset, wanted);
        throw asyncModel(`a canonical definition ${hex(form)}`, offset);
    }
  }

  #lift(offset: number): void {
    this.#zero(offset);
    const core = this.#coreFunction(offset);
    const { postReturn } = this.#options();
    this.#reader.u32();
    this.#scope.funcs.add({ kind: "lifted", core, postReturn });
  }

  #lower(offset: number): void {
    this.#zero(offset);
    const lowered = this.#scope.funcs.at(this.#reader.u32(), offset);
    const { realloc } = this.#options();
    if (lowered.kind === "lifted") {
      throw unsupportedPart("calls-between-components", "a component that calls another one", offset);
    }
    const { interface: from, name } = lowered;
    this.#addFunction({ kind: "host", interface: from, name, realloc });
  }

  #drop(offset: number): void {
    const type = this.#scope.types.at(this.#reader.u32(), offset);
    if (type.kind !== "resource") {
      throw unsupportedPart("own-resources", "a resource that the component defines", offset);
    }
    this.#addFunction({ kind: "drop", interface: type.interface, resource: type.name });
  }

  #addFunction(value: CoreSource): void {
    this.#scope.coreItems.func.add({ sort: "func", value });
  }

  #options(): Options {
    let realloc: ExportRef | null = null;
    let postReturn: CoreSource | null = null;
    for (let left = this.#reader.count(); left > 0; left -= 1) {
      const offset = this.#reader.position;
      const option = this.#reader.u8();
      switch (option) {
        case 0x00:
          break;
        case 0x01:
        case 0x02:
          throw unsupportedPart("utf16-strings", "strings that are not UTF-8", offset);
        case 0x03:
          // There is one memory in all (link-component.ts).
          this.#scope.coreItems.memory.at(this.#reader.u32(), offset);
          break;
        case 0x04: {
          const source = this.#coreFunction(offset);
          if (source.kind !== "export")
            throw malformed("the host cannot allocate for itself", offset, wanted);
          realloc = source.of;
          break;
        }
        case 0x05:
          postReturn = this.#coreFunction(offset);
          break;
        default:
          throw asyncModel(`a canonical option ${hex(option)}`, offset);
      }
    }
    return { realloc, postReturn };
  }

  #coreFunction(offset: number): CoreSource {
    const item = this.#scope.coreItems.func.at(this.#reader.u32(), offset);
    if (item.sort !== "func") throw malformed("a core function is none", offset, wanted);
    return item.value;
  }

  #zero(offset: number): void {
    if (this.#reader.u8() !== 0) throw malformed("a canonical definition has no kind", offset, wanted);
  }
}
