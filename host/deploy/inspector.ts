// The throw-away process: compiles one upload for the first time and instantiates it, because a tiny
// module can abort the process that does (docs/threat-model.md H4). Started by `inspect.ts`, which kills it when
// it takes too long. Reads one request from stdin, touches no file and opens no socket.

import { buffer } from "node:stream/consumers";
import { deserialize } from "node:v8";
import { decodeTree } from "../files/file-tree.ts";
import type { FreshCosts } from "../function.ts";
import { printable } from "../printable.ts";
import { noSetting } from "../worker/call-state.ts";
import { trapText } from "../worker/failure.ts";
import { emptyTree, treeOf } from "../worker/filesystem/nodes.ts";
import { instantiable } from "../worker/module-cache.ts";
import { tryFresh } from "./fresh-costs.ts";
import type { PreparedModule, PreparedUpload } from "./prepare-upload.ts";

/** Each module is compiled as uploaded too: what is not valid so must not become valid by being rewritten. */
export type InspectRequest = Omit<PreparedUpload, "form"> & {
  /** The files it carries, in their stored form. */
  readonly files: Uint8Array | null;
  readonly env: readonly (readonly [string, string])[];
};

export type InspectReply =
  | { readonly step: "compiled" }
  | { readonly step: "invalid"; readonly reason: string }
  | { readonly step: "trapped"; readonly reason: string }
  | { readonly step: "done"; readonly costs: FreshCosts };

// Whoever started it is gone.
process.once("disconnect", () => process.exit(1));

const asked = await buffer(process.stdin);
if (asked.byteLength === 0) process.exit(1);
inspect(deserialize(asked) as InspectRequest);

function inspect(request: InspectRequest): void {
  let modules: WebAssembly.Module[];
  try {
    modules = request.modules.map(compiled);
  } catch (error) {
    return answer({ step: "invalid", reason: reasonOf(error) });
  }
  // Sent before the start function runs, which may never end. The message is in the pipe when the
  // callback comes, so the parent's clock for the start function begins then.
  process.send?.({ step: "compiled" } satisfies InspectReply, () => void tryInstance(modules, request));
}

function compiled({ upload, bytes }: PreparedModule): WebAssembly.Module {
  const copy = new Uint8Array(upload);
  // Compiled only to learn what V8 has against it.
  if (bytes !== null && !WebAssembly.validate(copy)) new WebAssembly.Module(copy);
  return new WebAssembly.Module(bytes ?? copy);
}

async function tryInstance(modules: readonly WebAssembly.Module[], request: InspectRequest): Promise<void> {
  const { linking, memory, resettable, env } = request;
  const [module] = modules;
  let costs: FreshCosts;
  try {
    if (module === undefined) throw new Error("The component has no core module");
    const code = typeof linking === "string" ? { module, abi: linking } : { plan: linking, modules };
    const files = request.files === null ? emptyTree : treeOf(decodeTree(request.files));
    const trial = { env: new Map(env), setting: { ...noSetting, files } };
    costs = await tryFresh(instantiable(code), memory, resettable, trial);
  } catch (error) {
    return answer({ step: "trapped", reason: printable(trapText(error)) });
  }
  answer({ step: "done", costs });
}

function answer(reply: InspectReply): void {
  process.send?.(reply, () => process.exit(0));
}

function reasonOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error)).slice(0, 500);
}
