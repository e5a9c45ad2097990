// All control flow of an upload, and of every other change to a function:
//
//   422 413 invalid_files files_too_large    files       the archive beside the module, if there is one
//   422 invalid_module unsupported_feature   read        inspect the bytes, without running them; what
//                                                        cannot be metered only where that is allowed
//   422 unknown_import                       imports     only what the host offers
//   422 memory_exceeded                      memory      the minimum against the function's limit
//   422 unknown_abi                          entry       an entry point the host knows
//   422 start_failed ...                     try         compile and instantiate in another process
//   507 storage_full                         store       bytes by digest, then one transaction
//
// Until the transaction commits nothing is visible; after it everything is. Changes that touch stored
// bytes run one after the other, so that a clean-up never meets a half-done deploy.

import { noLiveVersion } from "../alias.ts";
import { HostError } from "../errors.ts";
import { readArchive } from "../files/read-archive.ts";
import { type Deployment, type FunctionConfig, functionConfigDefault, type ModuleForm } from "../function.ts";
import { limits } from "../limits.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { isComponent } from "../wasm/component/inspect-component.ts";
import type { Rewriter } from "../wasm/rewriter.ts";
import type { Inspectors } from "./inspect.ts";
import { prepareModuleUpload } from "./prepare-upload.ts";
import type { Preparer } from "./preparer.ts";

export type DeployResult = { readonly deployment: Deployment; readonly created: boolean };

export type DeployerParts = {
  readonly functions: FunctionStore;
  readonly artifacts: ArtifactStore;
  readonly preparer: Pick<Preparer, "prepare" | "keep" | "remove" | "retain">;
  readonly inspectors: Pick<Inspectors, "inspect">;
  readonly rewriter: Pick<Rewriter, "rewrite">;
  readonly digestOf: (bytes: Uint8Array) => string;
  readonly now: () => number;
  /** Whether a module that cannot be metered is taken as it is. */
  readonly allowUnmetered: boolean;
  /** A function's state beyond the store is to be dropped. */
  readonly onRemoved: (name: string) => Promise<void>;
  /** Loads the module of a version that was deployed, so that its first call need not. */
  readonly warm: (form: ModuleForm) => Promise<unknown>;
  /** No version names these bytes any more. */
  readonly onOrphaned: (digest: string) => void;
  /** Resolves when no call may load these bytes any more; null when none may now. */
  readonly freed: (digest: string) => Promise<void> | null;
  readonly onFault: (error: unknown) => void;
};

export class Deployer {
  readonly #parts: DeployerParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: DeployerParts) {
    this.#parts = parts;
  }

  /**
   * Makes `bytes` a version of `name`, with the files of an archive beside them, and that the live one
   * unless it is to be kept back. Idempotent by the digests of both.
   */
  async deploy(
    name: string,
    bytes: Uint8Array,
    {
      archive = null,
      isLive = true,
    }: { readonly archive?: Uint8Array | null; readonly isLive?: boolean } = {},
  ): Promise<DeployResult> {
    const { functions, artifacts, preparer, inspectors, rewriter, digestOf, now } = this.#parts;
    const digest = digestOf(bytes);
    const known = functions.live(name);
    // One that is not metered is looked at again: it may be refused now, or metered.
    const tree = archive && (await readArchive(archive));
    const files = tree && { digest: digestOf(tree), bytes: tree.byteLength };
    const isKnown = known?.digest === digest && known.files?.digest === files?.digest;
    if (isKnown && known.metered) return { deployment: known, created: false };
    if (!isLive && known === null) throw noLiveVersion(name);
    const config = functions.config(name) ?? functionConfigDefault;
    const { allowUnmetered } = this.#parts;
    const prepared = isComponent(bytes)
      ? await preparer.prepare(bytes, config)
      : await prepareModuleUpload(bytes, config, { allowUnmetered, rewriter });
    const { form: _form, ...tried } = prepared;
    const costs = await inspectors.inspect({
      ...tried,
      // A program's run is no part of the trial.
      files: prepared.abi === "wasi" ? null : tree,
      env: Object.entries(config.env),
    });
    const result = await this.#inTurn(async () => {
      if (functions.live(name) === null && functions.count() >= limits.functionsMax) {
        throw new HostError(
          "overloaded",
          `Cannot deploy "${name}": the host has ${limits.functionsMax} functions`,
        );
      }
      await artifacts.put(digest, bytes);
      await preparer.keep(digest, bytes, prepared);
      if (tree !== null && files !== null) await artifacts.put(files.digest, tree);
      const version = {
        name,
        digest,
        abi: prepared.abi,
        bytes: bytes.byteLength,
        freshCosts: costs,
        metered: prepared.metered,
        files,
        createdAtMs: now(),
      };
      const outcome = await functions.deploy(version, isLive).catch(async (error: unknown) => {
        await this.#dropUnnamed([digest, ...(files === null ? [] : [files.digest])]);
        throw error;
      });
      await this.#dropOnceFreed(outcome.orphans);
      const deployment = functions.at(name, outcome.version);
      if (deployment === null) throw new Error(`${name}@${outcome.version} is not there after its deploy`);
      return { deployment, created: outcome.created };
    });
    // A module that does not load is told to its callers, one by one.
    await this.#parts.warm(result.deployment).catch(() => {});
    return result;
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
    return this.#inTurn(async () => {
      const digests = this.#parts.functions.digests();
      await this.#parts.artifacts.retain(digests);
      await this.#parts.preparer.retain(digests);
    });
  }

  /** As `dropOrphans`; those that calls in flight are about to load go when these have ended. */
  async #dropOnceFreed(digests: readonly string[]): Promise<void> {
    const { freed, functions, onFault } = this.#parts;
    for (const digest of digests) {
      const waiting = freed(digest);
      if (waiting === null) await this.#dropOrphans([digest]);
      else {
        // A deploy may have brought them back by then.
        void waiting
          .then(() => this.#inTurn(() => this.#dropOrphans(functions.isNamed(digest) ? [] : [digest])))
          .catch(onFault);
      }
    }
  }

  /** Bytes of a version that was not stored: whoever is at his quota is not to fill the disk. */
  async #dropUnnamed(digests: readonly string[]): Promise<void> {
    await this.#dropOrphans(digests.filter((digest) => !this.#parts.functions.isNamed(digest)));
  }

  async #dropOrphans(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      this.#parts.onOrphaned(digest);
      await this.#parts.artifacts.remove(digest);
      await this.#parts.preparer.remove(digest);
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
