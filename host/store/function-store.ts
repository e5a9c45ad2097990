// The contract of where functions, versions and their state are kept. Reads are synchronous and
// answer from committed state; writes resolve once they are durable.

import type { Alias, Release, Split } from "../alias.ts";
import type {
  Abi,
  Deployment,
  FreshCosts,
  FunctionConfig,
  FunctionVersion,
  VersionFiles,
} from "../function.ts";
import type { Told } from "./cause.ts";
import type { Condition } from "./condition.ts";
import type { TakeBack } from "./take-back.ts";

export type NewVersion = {
  readonly name: string;
  readonly digest: string;
  readonly abi: Abi;
  readonly bytes: number;
  readonly createdAtMs: number;
  readonly freshCosts: FreshCosts;
  readonly metered: boolean;
  readonly files: VersionFiles | null;
};

export type DeployOutcome = {
  /** False when the bytes were those of a version that is kept. */
  readonly created: boolean;
  readonly version: number;
  /** Digests that no version names any more, because older versions were removed. */
  readonly orphans: readonly string[];
};

export interface FunctionStore {
  /** Live deployments by name. */
  list(): Deployment[];
  /** How many functions there are. */
  count(): number;
  /** What calls without a pin run, but for a canary. */
  live(name: string): Deployment | null;
  /** What an alias leads to. */
  release(name: string, alias: string): Release | null;
  /** In the order of their names. */
  aliases(name: string): Alias[];
  at(name: string, version: number): Deployment | null;
  byId(versionId: number): FunctionVersion | null;
  /** Newest first. */
  versions(name: string): FunctionVersion[];
  /** The stored configuration, or null for a name never heard of. */
  config(name: string): FunctionConfig | null;
  digests(): Set<string>;
  /** Whether a version has these bytes, as its module or its files. */
  isNamed(digest: string): boolean;
  /** Ids of the versions that are under suspicion. */
  suspects(): number[];
  /** Crashes since a time in which the version was the only suspect. */
  crashesSince(versionId: number, sinceMs: number): number;

  /** Live unless it is not to be; rejects with `no_live_version` when the first version of a function is not to be live. */
  deploy(version: NewVersion, isLive?: boolean): Promise<DeployOutcome>;
  /** Whether the alias is new; rejects with `function_not_found` for a version that is not there. */
  putAlias(name: string, alias: string, split: Split, condition: Condition<number>): Promise<boolean>;
  removeAlias(name: string, alias: string, condition: Condition<number>): Promise<void>;
  /** Gives the canary all calls; rejects with `no_canary`. */
  promote(name: string, alias: string): Promise<void>;
  /** To a version; without one ends a split, or goes back to the version before. */
  rollback(name: string, alias: string, version: number | null): Promise<void>;
  /** Whether the canary had a share, which is 0 now, and whom its event was delivered to. */
  takeBack(change: TakeBack, room: number): Promise<Told & { readonly taken: boolean }>;
  putConfig(name: string, config: FunctionConfig): Promise<void>;
  /** Resolves with the digests that no version names any more. */
  remove(name: string): Promise<readonly string[]>;
  /** Records a crash of the host while `versionIds` held a thread; see `quarantine.ts`. */
  recordCrash(crash: CrashRecord): Promise<void>;
  clearSuspect(versionId: number): Promise<void>;
  unquarantine(versionId: number): Promise<void>;
}

export type CrashRecord = {
  readonly atMs: number;
  /** Versions that are suspects from now on. */
  readonly suspects: readonly number[];
  /** The only suspect of this crash, if there is one, whose count rises. */
  readonly only: number | null;
  readonly quarantine: boolean;
};
