// node:http in front, a new Extism plugin for each call, in the same thread. Extism calls exports without
// parameters and has an ABI of its own; `mayfly_handle` takes the length of its message, so the plugin is
// made by Extism, its kernel with it, and the export is called on the plugin's instance. Argument: the
// folder of the functions.

import { createPlugin } from "@extism/extism";
import { guestImports } from "./guest-abi.js";
import { Modules } from "./modules.js";
import { serveNode } from "./node-server.js";

const modules = new Modules(process.argv[2] ?? "");

serveNode(async (name, message) => {
  /** @type {WebAssembly.Memory | null} */
  let memory = null;
  const { call, imports } = guestImports(() => /** @type {ArrayBuffer} */ (memory?.buffer));
  const plugin = await createPlugin(await modules.get(name), {
    useWasi: false,
    functions: withoutContext(imports),
  });
  try {
    const { exports } = await plugin.getInstance();
    memory = /** @type {WebAssembly.Memory} */ (exports["memory"]);
    call.request = message;
    /** @type {(length: number) => void} */ (exports["mayfly_handle"])(message.length);
    if (call.response === null) throw new Error("The guest did not answer");
    return call.response;
  } finally {
    await plugin.close();
  }
});

/**
 * Extism gives each import its call's context before the guest's own arguments.
 *
 * @param {Record<string, Record<string, (...values: number[]) => unknown>>} imports
 */
function withoutContext(imports) {
  /** @type {Record<string, Record<string, (context: unknown, ...values: number[]) => unknown>>} */
  const functions = {};
  for (const [group, members] of Object.entries(imports)) {
    functions[group] = {};
    for (const [member, run] of Object.entries(members)) {
      functions[group][member] = (_context, ...values) => run(...values);
    }
  }
  return functions;
}
