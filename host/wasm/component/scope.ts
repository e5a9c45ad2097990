// The index spaces of one component while it is read, and what it exports. An index that leads nowhere is
// a malformed component, never an undefined.

import { malformed } from "../read-fault.ts";
import type {
  ComponentDefinition,
  ComponentFunction,
  ComponentInstance,
  ComponentItem,
  ComponentType,
  CoreInstance,
  CoreItem,
  ModuleBytes,
  Sort,
} from "./definitions.ts";

export class Scope {
  readonly coreInstances = new Space<CoreInstance>("core instance");
  readonly coreItems: Readonly<Record<CoreItem["sort"], Space<CoreItem>>> = {
    func: new Space("core function"),
    table: new Space("core table"),
    memory: new Space("core memory"),
    global: new Space("core global"),
  };
  readonly modules = new Space<ModuleBytes>("core module");
  readonly funcs = new Space<ComponentFunction>("function");
  readonly types = new Space<ComponentType>("type");
  readonly instances = new Space<ComponentInstance>("instance");
  readonly components = new Space<ComponentDefinition>("component");
  readonly exports = new Map<string, ComponentItem>();
  /** The component that this one is written in. */
  readonly within: Scope | null;
  /** What it is instantiated with; null for the outermost, which the host instantiates. */
  readonly args: ReadonlyMap<string, ComponentItem> | null;

  constructor(within: Scope | null, args: ReadonlyMap<string, ComponentItem> | null) {
    this.within = within;
    this.args = args;
  }

  /** The item at an index of the space of its sort. */
  item(sort: Sort, index: number, offset: number): ComponentItem {
    switch (sort) {
      case "func":
        return { sort, value: this.funcs.at(index, offset) };
      case "type":
        return { sort, value: this.types.at(index, offset) };
      case "instance":
        return { sort, value: this.instances.at(index, offset) };
      case "component":
        return { sort, value: this.components.at(index, offset) };
      case "module":
        return { sort, value: this.modules.at(index, offset) };
    }
  }

  /** Gives an item the next index of its sort. */
  add(item: ComponentItem): void {
    switch (item.sort) {
      case "func":
        return this.funcs.add(item.value);
      case "type":
        return this.types.add(item.value);
      case "instance":
        return this.instances.add(item.value);
      case "component":
        return this.components.add(item.value);
      case "module":
        return this.modules.add(item.value);
    }
  }
}

class Space<value> {
  readonly #items: value[] = [];
  readonly #noun: string;

  constructor(noun: string) {
    this.#noun = noun;
  }

  add(item: value): void {
    this.#items.push(item);
  }

  at(index: number, offset: number): value {
    const found = this.#items[index];
    if (found === undefined) throw malformed(`there is no ${this.#noun} ${index}`, offset, wanted);
    return found;
  }
}

export const wanted = "wanted a valid WebAssembly component";
