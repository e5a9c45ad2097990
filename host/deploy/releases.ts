// All changes of which versions run: aliases, splits, promotion, the way back, and the take-back of a canary
// by the host itself. Each is one transaction, and the modules that calls are about to need are loaded before it.

import { type Alias, liveAlias, type Split } from "../alias.ts";
import { HostError } from "../errors.ts";
import type { HostEvent } from "../event.ts";
import { type Deployment, type ModuleForm, unmeteredWayOut } from "../function.ts";
import { plainName } from "../namespace.ts";
import type { Told } from "../store/cause.ts";
import type { Condition } from "../store/condition.ts";
import type { FunctionStore } from "../store/function-store.ts";

export type ReleasesParts = {
  readonly functions: FunctionStore;
  readonly allowUnmetered: boolean;
  /** Loads the module of a version. */
  readonly warm: (form: ModuleForm) => Promise<unknown>;
  /** As `EventQueue.telling`. */
  readonly telling: <change extends Told>(make: (room: number) => Promise<change>) => Promise<change>;
  readonly eventOf: (type: string, name: string, data: object) => HostEvent;
  /** A canary was taken back. */
  readonly onTakenBack: (taken: TakenCanary) => void;
};

export type TakenCanary = {
  readonly alias: Alias;
  readonly canary: Deployment;
  readonly reason: string;
  readonly calls: number;
  readonly errors: number;
  readonly slow: number;
};

export class Releases {
  readonly #parts: ReleasesParts;

  constructor(parts: ReleasesParts) {
    this.#parts = parts;
  }

  async put(
    name: string,
    alias: string,
    split: Split,
    condition: Condition<number>,
  ): Promise<{ readonly alias: Alias; readonly created: boolean }> {
    await this.#prepare(name, split.version);
    if (split.canary !== null) await this.#prepare(name, split.canary.version);
    const created = await this.#parts.functions.putAlias(name, alias, split, condition);
    return { alias: this.required(name, alias), created };
  }

  async remove(name: string, alias: string, condition: Condition<number>): Promise<void> {
    await this.#parts.functions.removeAlias(name, alias, condition);
  }

  async promote(name: string, alias: string = liveAlias): Promise<Deployment> {
    await this.#parts.functions.promote(name, alias);
    return this.#stable(name, alias);
  }

  /** To a version; without one it ends a split, or goes back to the version before. */
  async rollback(name: string, version: number | null, alias: string = liveAlias): Promise<Deployment> {
    const before = this.#parts.functions.release(name, alias)?.alias;
    const next = version ?? (before?.canary?.share ? before.version : (before?.versionBefore ?? null));
    if (next !== null) await this.#prepare(name, next);
    await this.#parts.functions.rollback(name, alias, version);
    return this.#stable(name, alias);
  }

  /** A canary is over its bounds: it has no share from now on. */
  async takeBack(taken: TakenCanary): Promise<void> {
    const { alias, canary, reason, calls, errors, slow } = taken;
    const { function: name, version } = alias;
    const event = this.#parts.eventOf("mayfly.release.taken-back", name, {
      function: plainName(name),
      alias: alias.name,
      version,
      canary: canary.version,
      percent: (alias.canary?.share ?? 0) / 100,
      reason,
      calls,
      errors,
      slow,
      guard: alias.canary?.guard ?? null,
    });
    const change = { name, alias: alias.name, canaryVersion: canary.version, reason, event };
    const done = await this.#parts.telling((room) => this.#parts.functions.takeBack(change, room));
    if (done.taken) this.#parts.onTakenBack(taken);
  }

  /** Throws `alias_not_found`. */
  required(name: string, alias: string): Alias {
    const found = this.#parts.functions.release(name, alias)?.alias;
    if (found !== undefined) return found;
    if (this.#parts.functions.live(name) === null) {
      throw new HostError("function_not_found", `No function "${name}"`);
    }
    throw new HostError("alias_not_found", `No alias "${alias}" of "${name}"`);
  }

  #stable(name: string, alias: string): Deployment {
    const found = this.#parts.functions.release(name, alias)?.stable;
    // It may have been removed since.
    if (found === undefined) throw new HostError("function_not_found", `No function "${name}"`);
    return found;
  }

  /** Throws when this host does not run such; a module that does not load is told to its callers. */
  async #prepare(name: string, version: number): Promise<void> {
    const found = this.#parts.functions.at(name, version);
    // The change itself says so, after what else it has to say.
    if (found === null) return;
    if (!found.metered && !this.#parts.allowUnmetered) {
      throw new HostError(
        "unsupported_feature",
        `Cannot release: "${name}@${version}" is not metered; to run it, ${unmeteredWayOut}`,
      );
    }
    await this.#parts.warm(found).catch(() => {});
  }
}
