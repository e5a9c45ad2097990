// What a comparison found, as plain data: written to docs/benchmarks/samples.json, and all that the
// document and its plots are made from.

/** What every peer says of itself, whether it was measured or not. */
export type PeerFacts = {
  readonly name: string;
  readonly newPerCall: string | null;
  readonly firstCall: string;
  readonly doesWithout: string;
};

/** One number a round; empty where only first calls were measured. */
export type Samples = {
  readonly callsPerSecond: number[];
  readonly warmP50Ms: number[];
  readonly warmP99Ms: number[];
  /** The median of the round's first calls. */
  readonly coldP50Ms: number[];
  /** Every first call. */
  readonly coldMs: number[];
};

export type Measured = { readonly peer: PeerFacts; readonly version: string; readonly samples: Samples };
export type NotMeasured = { readonly peer: PeerFacts; readonly reason: string };

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Operating system and kernel release. */
  readonly system: string;
};

export type Settings = {
  readonly rounds: number;
  readonly connections: number;
  /** Of load before the first round, not counted. */
  readonly warmUpSeconds: number;
  /** Of load a peer and round. */
  readonly loadSeconds: number;
  /** Warm calls a peer and round: until one of the two is reached. */
  readonly warmCallsMax: number;
  readonly warmMsMax: number;
  /** Functions called for the first time a peer and round. */
  readonly coldCalls: number;
};

export type Report = {
  /** ISO date of the day. */
  readonly date: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly measured: readonly Measured[];
  readonly notMeasured: readonly NotMeasured[];
};

/** The row that all others are compared with, and the one that has first calls alone. */
export const mayflyName = "Mayfly";
export const mayflyRestartedName = "Mayfly, restarted host";

/** Whether each call gets something that no other call had. */
export const isolates = ({ newPerCall }: PeerFacts): boolean => newPerCall !== null;
