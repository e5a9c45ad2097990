// The throw-away process: compiles one upload for the first time and instantiates it, because a tiny
// module can abort the process that does (docs/threat-model.md H4). Started by `inspect.ts`, which kills it when
// it takes too long. Touches no file and opens no socket.

import { decodeTree } from "../files/file-tree.ts";
import type { Abi, FreshCosts } from "../function.ts";
import { printable } from "../printable.ts";
import { trapText } from "../worker/failure.ts";
import { emptyTree, treeOf } from "../worker/filesystem/nodes.ts";
import { runnable } from "../worker/instance.ts";
import type { MemoryBounds } from "../worker/protocol.ts";
import { tryFresh } from "./fresh-costs.ts";

export type InspectRequest = {
  /** As uploaded: what is not valid here must not become valid by being rewritten. */
  readonly upload: Uint8Array;
  /** The rewritten module; null for one that runs as uploaded. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
  readonly abi: Abi;
  readonly memory: MemoryBounds | null;
  /** The files it carries, in their stored form. */
  readonly files: Uint8Array | null;
  readonly env: readonly (readonly [string, string])[];
  /** Whether memory and globals are the whole state of its instances. */
  readonly resettable: boolean;
};

export type InspectReply =
  | { readonly step: "compiled" }
  | { readonly step: "invalid"; readonly reason: string }
  | { readonly step: "trapped"; readonly reason: string }
  | { readonly step: "done"; readonly costs: FreshCosts };

process.on("message", (request: InspectRequest) => {
  let module: WebAssembly.Module;
  try {
    const upload = new Uint8Array(request.upload);
    // Compiled only to learn what V8 has against it.
    if (request.bytes !== null && !WebAssembly.validate(upload)) new WebAssembly.Module(upload);
    module = new WebAssembly.Module(request.bytes ?? upload);
  } catch (error) {
    return answer({ step: "invalid", reason: reasonOf(error) });
  }
  // Sent before the start function runs, which may never end. The message is in the pipe when the
  // callback comes, so the parent's clock for the start function begins then.
  process.send?.({ step: "compiled" } satisfies InspectReply, () => void tryInstance(module, request));
});

async function tryInstance(module: WebAssembly.Module, request: InspectRequest): Promise<void> {
  const { memory, resettable } = request;
  let costs: FreshCosts;
  try {
    const files = request.files === null ? emptyTree : treeOf(decodeTree(request.files));
    const trial = { env: new Map(request.env), setting: { args: [], files, answersOnStdout: false } };
    costs = await tryFresh(runnable(module, request.abi), memory, resettable, trial);
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
