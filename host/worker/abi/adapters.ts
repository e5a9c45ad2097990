// The ABIs by name.

import type { ModuleAbi } from "../../function.ts";
import type { Adapter } from "./adapter.ts";
import { assemblyScript } from "./assemblyscript/adapter.ts";
import { wasi } from "./wasi/adapter.ts";

/** In the order in which an upload is held against them. */
export const adapters: Readonly<Record<ModuleAbi, Adapter>> = {
  assemblyscript: assemblyScript,
  wasi,
};

/** The one memory that a guest exports, by the name that every ABI gives it. */
export const memoryExport = "memory";
