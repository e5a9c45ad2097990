// Reads a component once and follows it as an engine would instantiate it: each core module is made an
// instance in turn, and what that is given is traced back to where it comes from. Nested components are
// followed at each place where they are instantiated. Nothing is run, and types are passed over: of what
// the host implements it knows the types, and core WebAssembly is validated by the engine.
// Format: component model, "Binary.md", as components of WASI 0.2 have it.

import type { CoreSource, ExportRef } from "../../component-plan.ts";
import { limits } from "../../limits.ts";
import { BinaryReader } from "../binary-reader.ts";
import { hex, malformed, overLimit } from "../read-fault.ts";
import { headerBytes } from "../sections.ts";
import { CanonReader } from "./canon.ts";
import type {
  ComponentFunction,
  ComponentInstance,
  ComponentItem,
  CoreInstance,
  CoreItem,
  ModuleBytes,
  Sort,
} from "./definitions.ts";
import { unsupportedPart } from "./refusals.ts";
import { Scope, wanted } from "./scope.ts";
import { externName, isPresent, skipExternType, skipTypeDefinition } from "./skip-types.ts";

/** A core module that is made an instance, and what it is given by module names. */
export type CoreInstantiation = {
  readonly module: ModuleBytes;
  readonly args: ReadonlyMap<string, CoreInstance>;
};

export type ComponentReading = {
  readonly instantiations: readonly CoreInstantiation[];
  /** Interfaces that it imports, as it names them. */
  readonly imports: readonly string[];
  readonly exports: ReadonlyMap<string, ComponentItem>;
};

const section = {
  custom: 0,
  coreModule: 1,
  coreInstance: 2,
  coreType: 3,
  component: 4,
  instance: 5,
  alias: 6,
  type: 7,
  canon: 8,
  start: 9,
  import: 10,
  export: 11,
  value: 12,
} as const;

const coreSorts: readonly (CoreItem["sort"] | undefined)[] = ["func", "table", "memory", "global"];
const sorts: readonly (Sort | undefined)[] = [undefined, "func", undefined, "type", "component", "instance"];

/** Follows a component; throws a ReadFault, nothing else. */
export function readComponent(bytes: Uint8Array): ComponentReading {
  const reader = new ComponentReader(bytes);
  const scope = reader.component(0, bytes.length, null, null);
  return { instantiations: reader.instantiations, imports: reader.imports, exports: scope.exports };
}

class ComponentReader {
  readonly instantiations: CoreInstantiation[] = [];
  readonly imports: string[] = [];
  readonly #bytes: Uint8Array;
  #definitions = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** One component, written in `within` and instantiated with `args`. */
  component(
    start: number,
    end: number,
    within: Scope | null,
    args: ReadonlyMap<string, ComponentItem> | null,
  ): Scope {
    if (this.#depth >= limits.componentDepthMax) {
      throw overLimit("components are instantiated within one another too deep", "componentDepthMax", start);
    }
    this.#depth += 1;
    const scope = new Scope(within, args);
    const reader = new BinaryReader(this.#bytes, start, end);
    reader.skip(headerBytes);
    while (reader.remaining > 0) {
      const id = reader.u8();
      this.#section(id, reader.sub(reader.u32()), scope);
    }
    this.#depth -= 1;
    return scope;
  }

  #section(id: number, reader: BinaryReader, scope: Scope): void {
    const offset = reader.position;
    switch (id) {
      case section.custom:
        return;
      case section.coreModule:
        this.#count(offset);
        return scope.modules.add({ start: reader.position, end: reader.end });
      case section.component:
        this.#count(offset);
        return scope.components.add({ start: reader.position, end: reader.end, within: scope });
      case section.coreInstance:
        return this.#each(reader, () => this.#coreInstance(reader, scope));
      case section.instance:
        return this.#each(reader, () => scope.instances.add(this.#instance(reader, scope)));
      case section.alias:
        return this.#each(reader, () => this.#alias(reader, scope));
      case section.type:
        return this.#each(reader, () => {
          const isResource = skipTypeDefinition(reader) === "resource";
          scope.types.add({ kind: isResource ? "own-resource" : "other" });
        });
      case section.canon:
        return this.#each(reader, () => new CanonReader(reader, scope).definition());
      case section.import:
        return this.#each(reader, () => this.#import(reader, scope));
      case section.export:
        return this.#each(reader, () => this.#export(reader, scope));
      case section.coreType:
        throw unsupportedPart("core-types-of-components", "a section of core types", offset);
      case section.start:
      case section.value:
        throw unsupportedPart("component-values", "a section of values", offset);
      default:
        throw malformed(`there is a section ${hex(id)}`, offset, wanted);
    }
  }

  #each(reader: BinaryReader, read: () => void): void {
    for (let left = reader.count(); left > 0; left -= 1) {
      this.#count(reader.position);
      read();
    }
    if (reader.remaining > 0) {
      throw malformed(`${reader.remaining} bytes are left over`, reader.position, wanted);
    }
  }

  /** What is followed again at each instantiation is counted again: the work is bounded, not the bytes. */
  #count(offset: number): void {
    this.#definitions += 1;
    if (this.#definitions > limits.componentDefinitionsMax) {
      throw overLimit("the component has too many definitions", "componentDefinitionsMax", offset);
    }
  }

  #coreInstance(reader: BinaryReader, scope: Scope): void {
    const offset = reader.position;
    const form = reader.u8();
    if (form === 1) return scope.coreInstances.add(this.#coreExports(reader, scope));
    if (form !== 0) throw malformed(`a core instance begins with ${hex(form)}`, offset, wanted);
    const module = scope.modules.at(reader.u32(), offset);
    const args = new Map<string, CoreInstance>();
    for (let left = reader.count(3); left > 0; left -= 1) {
      const name = reader.name();
      if (reader.u8() !== 0x12) throw malformed("an argument is no core instance", offset, wanted);
      args.set(name, scope.coreInstances.at(reader.u32(), offset));
    }
    if (this.instantiations.length >= limits.componentInstancesMax) {
      throw overLimit("the component has too many core instances", "componentInstancesMax", offset);
    }
    this.instantiations.push({ module, args });
    scope.coreInstances.add(this.instantiations.length - 1);
  }

  #coreExports(reader: BinaryReader, scope: Scope): CoreInstance {
    const items = new Map<string, CoreItem>();
    for (let left = reader.count(3); left > 0; left -= 1) {
      const offset = reader.position;
      const name = reader.name();
      const sort = coreSorts[reader.u8()];
      if (sort === undefined) throw unsupportedPart("core-exports", "an export of no plain kind", offset);
      items.set(name, scope.coreItems[sort].at(reader.u32(), offset));
    }
    return items;
  }

  #instance(reader: BinaryReader, scope: Scope): ComponentInstance {
    const offset = reader.position;
    const form = reader.u8();
    const items = new Map<string, ComponentItem>();
    if (form === 1) {
      for (let left = reader.count(3); left > 0; left -= 1) {
        items.set(externName(reader), this.#sortIndex(reader, scope));
      }
      return { kind: "exports", items };
    }
    if (form !== 0) throw malformed(`an instance begins with ${hex(form)}`, offset, wanted);
    const { start, end, within } = scope.components.at(reader.u32(), offset);
    for (let left = reader.count(3); left > 0; left -= 1) {
      items.set(reader.name(), this.#sortIndex(reader, scope));
    }
    return { kind: "exports", items: this.component(start, end, within, items).exports };
  }

  #sortIndex(reader: BinaryReader, scope: Scope): ComponentItem {
    const offset = reader.position;
    const sort = this.#sort(reader);
    if (typeof sort === "object") throw unsupportedPart("core-exports", `a core ${sort.core}`, offset);
    return scope.item(sort, reader.u32(), offset);
  }

  /** The sort that comes next; that of a core item in an object. */
  #sort(reader: BinaryReader): Sort | { readonly core: CoreItem["sort"] } {
    const offset = reader.position;
    const byte = reader.u8();
    if (byte === 0) {
      const kind = reader.u8();
      if (kind === 0x11) return "module";
      const core = coreSorts[kind];
      if (core !== undefined) return { core };
      throw unsupportedPart("core-types-of-components", `a core sort ${hex(kind)}`, offset);
    }
    const sort = sorts[byte];
    if (sort === undefined) throw malformed(`a sort is ${hex(byte)}`, offset, wanted);
    return sort;
  }

  #alias(reader: BinaryReader, scope: Scope): void {
    const offset = reader.position;
    const sort = this.#sort(reader);
    const target = reader.u8();
    if (typeof sort === "object") {
      if (target !== 1) throw malformed("an alias of a core item leads to no core instance", offset, wanted);
      const instance = scope.coreInstances.at(reader.u32(), offset);
      return scope.coreItems[sort.core].add(coreExport(instance, sort.core, reader.name(), offset));
    }
    if (target === 0) {
      const instance = scope.instances.at(reader.u32(), offset);
      return scope.add(exported(instance, sort, reader.name(), offset));
    }
    if (target !== 2) throw malformed(`an alias leads to ${hex(target)}`, offset, wanted);
    let outer: Scope | null = scope;
    for (let count = reader.u32(); count > 0 && outer !== null; count -= 1) outer = outer.within;
    if (outer === null) throw malformed("an alias leads out of the component", offset, wanted);
    scope.add(outer.item(sort, reader.u32(), offset));
  }

  #import(reader: BinaryReader, scope: Scope): void {
    const offset = reader.position;
    const name = externName(reader);
    const kind = reader.u8();
    reader.position -= 1;
    skipExternType(reader);
    // Types come with a bound, and count all the same.
    const sort = kind === 0 ? "module" : sorts[kind];
    if (sort === undefined) throw malformed(`an import has sort ${hex(kind)}`, offset, wanted);
    if (scope.args === null) return scope.add(this.#fromHost(name, sort, offset));
    const item = scope.args.get(name);
    if (item?.sort !== sort) {
      throw malformed(`a component is instantiated without its import of a ${sort}`, offset, wanted);
    }
    scope.add(item);
  }

  /** What the host is asked for; whether it has it is not decided here. */
  #fromHost(name: string, sort: Sort, offset: number): ComponentItem {
    this.imports.push(name);
    if (sort === "instance") return { sort, value: { kind: "import", interface: name } };
    if (sort === "func") return { sort, value: { kind: "import", interface: "", name } };
    if (sort === "type") return { sort, value: { kind: "other" } };
    throw unsupportedPart(`imported-${sort}s`, `an import of a ${sort}`, offset);
  }

  #export(reader: BinaryReader, scope: Scope): void {
    const name = externName(reader);
    const item = this.#sortIndex(reader, scope);
    if (isPresent(reader)) skipExternType(reader);
    scope.exports.set(name, item);
    scope.add(item);
  }
}

/** An export of an instance. */
function exported(instance: ComponentInstance, sort: Sort, name: string, offset: number): ComponentItem {
  if (instance.kind === "exports") {
    const item = instance.items.get(name);
    if (item?.sort !== sort) throw malformed(`an instance has no such ${sort}`, offset, wanted);
    return item;
  }
  const origin = { interface: instance.interface, name };
  if (sort === "func") return { sort, value: { kind: "import", ...origin } satisfies ComponentFunction };
  if (sort === "type") return { sort, value: { kind: "resource", ...origin } };
  throw unsupportedPart("nested-instances", `a ${sort} of an imported instance`, offset);
}

/** An export of a core instance; whether the module has it is seen when it is linked. */
export function coreExport(
  instance: CoreInstance,
  sort: CoreItem["sort"],
  name: string,
  offset: number,
): CoreItem {
  if (typeof instance === "number") {
    const of: ExportRef = { instance, name };
    return sort === "func"
      ? { sort, value: { kind: "export", of } satisfies CoreSource }
      : { sort, value: of };
  }
  const item = instance.get(name);
  if (item?.sort !== sort) throw malformed(`a core instance has no such ${sort}`, offset, wanted);
  return item;
}
