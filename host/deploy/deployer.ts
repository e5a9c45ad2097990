// All control flow of an upload, and of every other change to a function:
//
//   422 invalid_module unsupported_feature   read        inspect the bytes, without running them
//   422 unknown_import                       imports     only what the host offers
//   422 memory_exceeded                      memory      the minimum against the function's limit
//   422 unknown_abi                          entry       an entry point the host knows
//   422 start_failed ...                     try         compile and instantiate in another process
//   507 storage_full                         store       bytes by digest, then one transaction
//
// Until the transaction commits nothing is visible; after it everything is. Changes that touch stored
// bytes run one after the other, so that a clean-up never meets a half-done deploy.

import { HostError } from "../errors.ts";
import { type Deployment, type FunctionConfig, functionConfigDefault } from "../function.ts";
import { limits } from "../limits.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { inspectModule, type ModuleInspection, WasmRefusal } from "../wasm/inspect.ts";
import { prepareModule } from "../wasm/prepare.ts";
import { assertImportsOffered, detectAbi } from "./entry-point.ts";
import type { Inspectors } from "./inspect.ts";

export type DeployResult = { readonly deployment: Deployment; readonly created: boolean };

export type DeployerParts = {
  readonly functions: FunctionStore;
  readonly artifacts: ArtifactStore;
  readonly inspectors: Pick<Inspectors, "inspect">;
  readonly digestOf: (bytes: Uint8Array) => string;
  readonly now: () => number;
  /** A function's state beyond the store is to be dropped. */
  readonly onRemoved: (name: string) => Promise<void>;
  /** Loads the module of a version that is live now, so that its first call need not. */
  readonly warm: (digest: string) => Promise<unknown>;
  /** No version names these bytes any more. */
  readonly onOrphaned: (digest: string) => void;
};

const pagesPerMb = 16;

export class Deployer {
  readonly #parts: DeployerParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: DeployerParts) {
    this.#parts = parts;
  }

  /** Makes `bytes` the live version of `name`. Idempotent by digest. */
  async deploy(name: string, bytes: Uint8Array): Promise<DeployResult> {
    const { functions, artifacts, inspectors, digestOf, now } = this.#parts;
    const digest = digestOf(bytes);
    const known = functions.live(name);
    if (known?.digest === digest) return { deployment: known, created: false };
    const config = functions.config(name) ?? functionConfigDefault;
    const inspection = readModule(bytes);
    assertImportsOffered(inspection);
    assertMemoryFits(inspection, config);
    const abi = detectAbi(inspection);
    const [memory] = inspection.memories;
    const limitPages = config.memoryMb * pagesPerMb;
    const costs = await inspectors.inspect({
      upload: bytes,
      bytes: prepare(bytes, inspection),
      memory: memory
        ? {
            initialPages: memory.initialPages,
            maximumPages: Math.min(memory.maximumPages ?? limitPages, limitPages),
          }
        : null,
      env: Object.entries(config.env),
      resettable: inspection.resettableGlobals !== null,
    });
    const result = await this.#inTurn(async () => {
      if (functions.live(name) === null && functions.count() >= limits.functionsMax) {
        throw new HostError(
          "overloaded",
          `Cannot deploy "${name}": the host has ${limits.functionsMax} functions`,
        );
      }
      await artifacts.put(digest, bytes);
      const outcome = await functions.deploy({
        name,
        digest,
        abi,
        bytes: bytes.byteLength,
        freshCosts: costs,
        createdAtMs: now(),
      });
      await this.#dropOrphans(outcome.orphans);
      const deployment = functions.at(name, outcome.version);
      if (deployment === null) throw new Error(`${name}@${outcome.version} is not there after its deploy`);
      return { deployment, created: outcome.created };
    });
    // A module that does not load is told to its callers, one by one.
    await this.#parts.warm(digest).catch(() => {});
    return result;
  }

  async rollback(name: string, version: number): Promise<Deployment> {
    return this.#inTurn(async () => {
      await this.#parts.functions.rollback(name, version);
      return this.#live(name);
    });
  }

  async remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const orphans = await this.#parts.functions.remove(name);
      await this.#parts.onRemoved(name);
      await this.#dropOrphans(orphans);
    });
  }

  async putConfig(name: string, config: FunctionConfig): Promise<void> {
    return this.#inTurn(() => this.#parts.functions.putConfig(name, config));
  }

  async unquarantine(name: string): Promise<Deployment> {
    return this.#inTurn(async () => {
      await this.#parts.functions.unquarantine(this.#live(name).id);
      return this.#live(name);
    });
  }

  /** Removes bytes that no version names: what a crash in the middle of a deploy left behind. */
  async cleanUp(): Promise<void> {
    return this.#inTurn(() => this.#parts.artifacts.retain(this.#parts.functions.digests()));
  }

  async #dropOrphans(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      this.#parts.onOrphaned(digest);
      await this.#parts.artifacts.remove(digest);
    }
  }

  #live(name: string): Deployment {
    const found = this.#parts.functions.live(name);
    if (found === null) throw new HostError("function_not_found", `No function "${name}"`);
    return found;
  }

  #inTurn<value>(change: () => Promise<value>): Promise<value> {
    const result = this.#last.then(change, change);
    this.#last = result.catch(() => {});
    return result;
  }
}

function readModule(bytes: Uint8Array): ModuleInspection {
  return refusing(() => inspectModule(bytes, { metered: true }));
}

function prepare(bytes: Uint8Array, inspection: ModuleInspection): Uint8Array<ArrayBuffer> {
  return refusing(() => prepareModule(bytes, inspection, { meter: true }));
}

/** A refusal of the module's reader as the error of the deploy. */
function refusing<value>(read: () => value): value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WasmRefusal)) throw error;
    const { feature, functionIndex, offset } = error;
    throw new HostError(error.code, error.message, { extra: { feature, function: functionIndex, offset } });
  }
}

function assertMemoryFits(inspection: ModuleInspection, config: FunctionConfig): void {
  const pages = inspection.memories[0]?.initialPages ?? 0;
  const limitPages = config.memoryMb * pagesPerMb;
  if (pages <= limitPages) return;
  throw new HostError(
    "memory_exceeded",
    `Cannot deploy: memory minimum is ${pages} pages, limit is ${limitPages} (memoryMb ${config.memoryMb})`,
    { status: 422 },
  );
}
