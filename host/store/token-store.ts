// The contract of tokens. They are read once, when a host starts: whoever holds them in memory makes every
// change. Changes resolve once they are durable. It never has a token itself, only its SHA-256.

import type { Token } from "../token.ts";

export type StoredToken = Token & { readonly hash: Uint8Array };

export interface TokenStore {
  all(): StoredToken[];

  put(token: StoredToken): Promise<void>;
  remove(id: string): Promise<void>;
  /** Notes when tokens were used last, Unix ms. */
  used(times: readonly (readonly [id: string, atMs: number])[]): Promise<void>;
}
