// The contract of what is kept sealed: secrets of functions, and URLs of databases. Reads are synchronous and
// answer from committed state; changes resolve once they are durable. It never sees what lies in a seal.

import type { ListedSecret } from "../secret.ts";

export type SealedSecret = { readonly name: string; readonly sealed: Uint8Array };

/** Anything that is sealed, wherever it is kept. */
export type Sealed = {
  readonly table: "secrets" | "replications";
  readonly id: number;
  /** What it was sealed for. */
  readonly purpose: string;
  readonly sealed: Uint8Array;
};

export interface SecretStore {
  /** By name. */
  list(functionName: string): ListedSecret[];
  sealed(functionName: string): SealedSecret[];
  /** Functions that have secrets. */
  functions(): string[];
  /** All that is sealed in the data folder. */
  all(): Sealed[];

  /**
   * Adds or replaces a secret, before the function's first version too; whether it is a new one. Rejects with
   * `quota_exceeded`.
   */
  put(functionName: string, secret: SealedSecret): Promise<boolean>;
  /** Whether there was such a secret. */
  remove(functionName: string, name: string): Promise<boolean>;
  /** Puts other seals in the place of those that are there: all of them or none. */
  reseal(seals: readonly Sealed[]): Promise<void>;
}

/** What a function's secret is sealed for. */
export function secretPurpose(functionName: string, name: string): string {
  return `secret ${functionName}/${name}`;
}
