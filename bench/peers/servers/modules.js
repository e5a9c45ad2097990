// The functions of a peer that keeps them in a folder, NAME.wasm each: read and compiled when one is first
// called, then kept. For Node, Deno and Bun alike.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

export class Modules {
  #folder;
  /** @type {Map<string, Promise<WebAssembly.Module>>} */
  #modules = new Map();

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  /**
   * @param {string} name
   * @returns {Promise<WebAssembly.Module>}
   */
  get(name) {
    let module = this.#modules.get(name);
    if (module === undefined) {
      module = readFile(join(this.#folder, `${name}.wasm`)).then((bytes) => WebAssembly.compile(bytes));
      this.#modules.set(name, module);
    }
    return module;
  }
}
