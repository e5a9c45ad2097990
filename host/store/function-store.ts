// The contract of where functions, versions and their state are kept. Reads are synchronous and
// answer from committed state; writes resolve once they are durable.

import type {
  Abi,
  Deployment,
  FreshCosts,
  FunctionConfig,
  FunctionVersion,
  VersionFiles,
} from "../function.ts";

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
  /** False when the bytes were those of a version that is kept, which is live now. */
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
  live(name: string): Deployment | null;
  at(name: string, version: number): Deployment | null;
  byId(versionId: number): FunctionVersion | null;
  /** Newest first. */
  versions(name: string): FunctionVersion[];
  /** The stored configuration, or null for a name never heard of. */
  config(name: string): FunctionConfig | null;
  digests(): Set<string>;
  /** Ids of the versions that are under suspicion. */
  suspects(): number[];
  /** Crashes since a time in which the version was the only suspect. */
  crashesSince(versionId: number, sinceMs: number): number;

  deploy(version: NewVersion): Promise<DeployOutcome>;
  rollback(name: string, version: number): Promise<void>;
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
