// From the bytes of an upload to what the inspector tries and workers run: whether it can be read and
// contained, imports only what the host offers, fits its function's memory, and has an entry point.

import type { ComponentPlan } from "../component-plan.ts";
import { HostError } from "../errors.ts";
import { type Abi, type FunctionConfig, type ModuleAbi, unmeteredWayOut } from "../function.ts";
import { inspectComponent } from "../wasm/component/inspect-component.ts";
import { prepareComponent } from "../wasm/component/prepare-component.ts";
import { inspectDeclarations, type ModuleDeclarations, WasmRefusal } from "../wasm/inspect.ts";
import type { ModuleMemory } from "../wasm/inspection.ts";
import { declaredBounds, type PreparedForm } from "../wasm/prepared-form.ts";
import type { Rewriter } from "../wasm/rewriter.ts";
import type { MemoryBounds } from "../worker/protocol.ts";
import { assertInterfacesOffered, planOf } from "./component-entry.ts";
import { assertImportsOffered, detectAbi } from "./entry-point.ts";

/** A core module as uploaded, and rewritten; null for one that runs as it is. */
export type PreparedModule = { readonly upload: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer> | null };

export type PreparedUpload = {
  readonly abi: Abi;
  readonly modules: readonly PreparedModule[];
  /** How they are linked, and what they are called by: the plan of a component, the ABI of a module. */
  readonly linking: ComponentPlan | ModuleAbi;
  /** The memory that the host supplies; null for none. */
  readonly memory: MemoryBounds | null;
  readonly resettable: boolean;
  readonly metered: boolean;
  /** What workers compile of a component, which is kept; null for a module. */
  readonly form: PreparedForm | null;
};

const pagesPerMb = 16;

export type ModuleParts = {
  /** Whether a module that cannot be metered is taken as it is. */
  readonly allowUnmetered: boolean;
  readonly rewriter: Pick<Rewriter, "rewrite">;
};

/** Of a core module; rejects with the deploy's HostError. */
export async function prepareModuleUpload(
  bytes: Uint8Array,
  config: FunctionConfig,
  { allowUnmetered, rewriter }: ModuleParts,
): Promise<PreparedUpload> {
  const rewritten = await metered(bytes, allowUnmetered, () => rewriter.rewrite(bytes));
  const inspection = rewritten?.inspection ?? null;
  const declared: ModuleDeclarations = inspection ?? refusing(() => inspectDeclarations(bytes));
  assertImportsOffered(declared);
  assertMemoryFits(declared.memories, config);
  const abi = detectAbi(declared);
  const prepared = rewritten && (await metered(bytes, allowUnmetered, async () => rewritten.prepared()));
  return {
    abi,
    modules: [{ upload: bytes, bytes: prepared }],
    linking: abi,
    memory: prepared && suppliedMemory(declared.memories[0], config),
    resettable: prepared !== null && inspection?.resettableGlobals !== null,
    metered: prepared !== null,
    form: null,
  };
}

/** Of a component; throws the deploy's HostError. */
export function prepareComponentUpload(upload: Uint8Array, config: FunctionConfig): PreparedUpload {
  const inspection = refusing(() => inspectComponent(upload));
  assertInterfacesOffered(inspection);
  const memories = inspection.modules[inspection.memoryModule ?? -1]?.inspection.memories ?? [];
  assertMemoryFits(memories, config);
  const linking = planOf(inspection);
  const prepared = refusing(() => prepareComponent(inspection));
  return {
    abi: "component",
    modules: prepared.modules.map((bytes, index) => ({
      upload: inspection.modules[index]?.bytes ?? upload,
      bytes,
    })),
    linking,
    memory: suppliedMemory(memories[0], config),
    resettable: prepared.resettable,
    metered: true,
    form: {
      modules: prepared.modules,
      plan: linking,
      memory: declaredBounds(memories[0]),
      resettable: prepared.resettable,
    },
  };
}

/** What `read` makes of the upload; null when that cannot be and it is to run as it is. */
async function metered<value>(
  bytes: Uint8Array,
  allowUnmetered: boolean,
  read: () => Promise<value>,
): Promise<value | null> {
  try {
    return await read();
  } catch (error) {
    const refused = refusalOf(error);
    if (!(refused instanceof HostError) || refused.code !== "unsupported_feature") throw refused;
    if (allowUnmetered) return null;
    throw new HostError(refused.code, `${refused.message}${wayOut(bytes)}`, { extra: refused.extra });
  }
}

/** What to add to a refusal: how the module may run all the same, if it may. */
function wayOut(bytes: Uint8Array): string {
  try {
    inspectDeclarations(bytes);
  } catch (error) {
    if (error instanceof WasmRefusal) return "";
    throw error;
  }
  return `; to run it unmetered, if you trust it, ${unmeteredWayOut}`;
}

function suppliedMemory(memory: ModuleMemory | undefined, { memoryMb }: FunctionConfig): MemoryBounds | null {
  if (memory === undefined) return null;
  const limitPages = memoryMb * pagesPerMb;
  return {
    initialPages: memory.initialPages,
    maximumPages: Math.min(memory.maximumPages ?? limitPages, limitPages),
  };
}

/** A refusal of the reader as the error of the deploy. */
function refusing<value>(read: () => value): value {
  try {
    return read();
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof WasmRefusal)) return error;
  const { feature, functionIndex, offset } = error;
  return new HostError(error.code, error.message, { extra: { feature, function: functionIndex, offset } });
}

function assertMemoryFits(memories: readonly ModuleMemory[], config: FunctionConfig): void {
  const pages = memories.reduce((sum, { initialPages }) => sum + initialPages, 0);
  const limitPages = config.memoryMb * pagesPerMb;
  if (pages <= limitPages) return;
  throw new HostError(
    "memory_exceeded",
    `Cannot deploy: memory minimum is ${pages} pages, limit is ${limitPages} (memoryMb ${config.memoryMb})`,
    { status: 422 },
  );
}
