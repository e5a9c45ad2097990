// Reads the declared types of a module's exported functions from the compiler, for callExport: a
// wasm export only says i32 where the source says string. Compiler thread only, but for the type.

import { FunctionPrototype, type Program } from "assemblyscript";

export type ModuleTypes = {
  /** By export name. */
  readonly functions: Readonly<Record<string, FunctionTypes>>;
  /** The runtime's id of each class, by internal name such as `~lib/array/Array<i32>`. */
  readonly classIds: Readonly<Record<string, number>>;
};

export type FunctionTypes = {
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  /** Parameters from here on may be left out. */
  readonly required: number;
  readonly result: string;
};

export class ModuleTypesReader {
  readonly #userSource: string;
  readonly #found: (types: ModuleTypes) => void;
  #program: Program | undefined;

  constructor(userSource: string, found: (types: ModuleTypes) => void) {
    this.#userSource = userSource;
    this.#found = found;
  }

  transform(): object {
    return {
      afterInitialize: (program: Program) => {
        this.#program = program;
      },
      afterCompile: () => {
        if (this.#program !== undefined) this.#found(readTypes(this.#program, this.#userSource));
      },
    };
  }
}

function readTypes(program: Program, userSource: string): ModuleTypes {
  const functions: Record<string, FunctionTypes> = {};
  const file = program.filesByName.get(userSource.replace(/\.ts$/, ""));
  for (const [name, element] of file?.exports ?? []) {
    if (!(element instanceof FunctionPrototype)) continue;
    const instance = element.instances?.values().next().value;
    if (instance === undefined) continue;
    const { parameterTypes, requiredParameters, returnType } = instance.signature;
    functions[name] = {
      parameters: parameterTypes.map((type, index) => ({
        name: element.functionTypeNode.parameters[index]?.name.text ?? `arg${index}`,
        type: type.toString(),
      })),
      required: requiredParameters,
      result: returnType.toString(),
    };
  }
  const classIds: Record<string, number> = {};
  for (const [id, managed] of program.managedClasses) classIds[managed.internalName] = id;
  return { functions, classIds };
}
