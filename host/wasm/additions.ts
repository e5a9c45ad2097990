// What `prepare.ts` appends to a module: entries by section, each with the index it will have. The
// guest's own indices stay as they are, but for functions when functions are imported.

import { BinaryWriter, nameBytes, u32Bytes } from "./binary-writer.ts";
import type { ModuleCounts } from "./inspection.ts";
import { sectionId } from "./sections.ts";

const mutable = 1;
const kind = { function: 0, memory: 2, global: 3 } as const;

export class Additions {
  private readonly entries = new Map<number, { count: number; readonly content: BinaryWriter }>();
  private nextType: number;
  private nextFunction: number;
  private nextGlobal: number;

  /** `functionImports` function imports are going to be added. */
  constructor(counts: ModuleCounts, functionImports: number) {
    this.nextType = counts.types;
    this.nextFunction = counts.importedFunctions + functionImports + counts.functions;
    this.nextGlobal = counts.importedGlobals + counts.globals;
  }

  /** Number of entries added to a section. */
  count(section: number): number {
    return this.entries.get(section)?.count ?? 0;
  }

  /** The entries added to a section; null when there are none. */
  content(section: number): BinaryWriter | null {
    return this.entries.get(section)?.content ?? null;
  }

  /** Adds an entry of the type section; its index. */
  type(bytes: Uint8Array): number {
    this.add(sectionId.type, bytes);
    this.nextType += 1;
    return this.nextType - 1;
  }

  /** Adds a function; `body` is given its index. */
  function(typeIndex: number, body: Uint8Array): number {
    this.add(sectionId.function, u32Bytes(typeIndex));
    this.add(sectionId.code, body);
    this.nextFunction += 1;
    return this.nextFunction - 1;
  }

  /** Adds a mutable i32 global that begins with `initialValue`; its index. */
  global(initialValue: Uint8Array): number {
    this.add(sectionId.global, Uint8Array.of(0x7f, mutable, 0x41, ...initialValue, 0x0b));
    this.nextGlobal += 1;
    return this.nextGlobal - 1;
  }

  importMemory(module: string, name: string, minimumPages: number): void {
    this.import(module, name, Uint8Array.of(kind.memory, 0x00, ...u32Bytes(minimumPages)));
  }

  importFunction(module: string, name: string, typeIndex: number): void {
    this.import(module, name, Uint8Array.of(kind.function, ...u32Bytes(typeIndex)));
  }

  exportGlobal(name: string, globalIndex: number): void {
    this.export(name, kind.global, globalIndex);
  }

  exportFunction(name: string, functionIndex: number): void {
    this.export(name, kind.function, functionIndex);
  }

  private import(module: string, name: string, description: Uint8Array): void {
    const entry = new BinaryWriter().append(nameBytes(module)).append(nameBytes(name)).append(description);
    this.add(sectionId.import, entry.finish());
  }

  private export(name: string, exportKind: number, index: number): void {
    const entry = new BinaryWriter().append(nameBytes(name)).u8(exportKind).u32(index);
    this.add(sectionId.export, entry.finish());
  }

  private add(section: number, bytes: Uint8Array): void {
    let entry = this.entries.get(section);
    if (entry === undefined) {
      entry = { count: 0, content: new BinaryWriter() };
      this.entries.set(section, entry);
    }
    entry.count += 1;
    entry.content.append(bytes);
  }
}
