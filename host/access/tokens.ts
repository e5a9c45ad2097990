// The tokens of a host, in memory as they are stored: by their SHA-256, for the token itself is shown once and
// kept nowhere. A token that is looked up is hashed whatever it is, and found or not: nothing of the time that
// takes depends on how much of it is right.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { StoredToken, TokenStore } from "../store/token-store.ts";
import type { Token, TokenSettings } from "../token.ts";

/** By which people and scanners of code know one. */
export const tokenPrefix = "mf_";
const tokenBytes = 32;
/** The time of its last use is written at most so often, ms. */
const usedRestMs = 60_000;

export type TokensParts = {
  readonly store: TokenStore;
  /** The host's own token, which may do all; null for none. */
  readonly root: string | null;
  readonly onFault: (error: unknown) => void;
  readonly now?: () => number;
};

export class Tokens {
  readonly #parts: TokensParts;
  readonly #now: () => number;
  readonly #root: Buffer;
  readonly #byHash = new Map<string, StoredToken>();
  /** Uses that are not written yet, Unix ms by id. */
  readonly #used = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: TokensParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    // Without one a hash that nothing has is compared with.
    this.#root = parts.root === null ? randomBytes(tokenBytes) : hashOf(parts.root);
    for (const token of parts.store.all()) this.#byHash.set(hex(token.hash), token);
  }

  /** Whether there are any beside the host's own. */
  get any(): boolean {
    return this.#byHash.size > 0;
  }

  /** The token that a text is, as long as it has not expired; `root` for the host's own; null for none. */
  find(text: string): Token | "root" | null {
    const hash = hashOf(text);
    const isRoot = timingSafeEqual(hash, this.#root);
    const token = this.#byHash.get(hex(hash));
    const now = this.#now();
    const isLive = token !== undefined && (token.expiresAtMs === null || token.expiresAtMs > now);
    if (isRoot) return "root";
    if (!isLive) return null;
    this.#noteUse(token.id, now);
    return token;
  }

  /** Those of a namespace, or of the host where it is null. */
  list(namespace: string | null): Token[] {
    return [...this.#byHash.values()]
      .filter((token) => namespace === null || token.namespace === namespace)
      .map((token) => this.#shown(token));
  }

  get(id: string): Token | null {
    const token = this.#stored(id);
    return token === null ? null : this.#shown(token);
  }

  /** The token, with the text that nobody is shown again. Rejects with `quota_exceeded`. */
  async create(
    { expiresInS, allNamespaces, ...settings }: TokenSettings,
    namespace: string,
  ): Promise<{ readonly token: Token; readonly text: string }> {
    if (this.#byHash.size >= limits.tokensMax) {
      throw new HostError(
        "quota_exceeded",
        `The host has ${this.#byHash.size} tokens, limit is ${limits.tokensMax} (tokensMax); revoke some`,
      );
    }
    const text = tokenPrefix + randomBytes(tokenBytes).toString("base64url");
    const createdAtMs = this.#now();
    const token: StoredToken = {
      ...settings,
      id: randomBytes(8).toString("hex"),
      hash: hashOf(text),
      namespace: allNamespaces ? null : namespace,
      createdAtMs,
      expiresAtMs: expiresInS === null ? null : createdAtMs + expiresInS * 1_000,
      usedAtMs: null,
    };
    await this.#parts.store.put(token);
    this.#byHash.set(hex(token.hash), token);
    return { token: this.#shown(token), text };
  }

  /** It opens nothing from now on. */
  async remove(id: string): Promise<void> {
    const token = this.#stored(id);
    if (token === null) return;
    await this.#parts.store.remove(id);
    this.#byHash.delete(hex(token.hash));
  }

  /** All of a namespace are gone from the store. */
  forget(namespace: string): void {
    for (const [hash, token] of this.#byHash) if (token.namespace === namespace) this.#byHash.delete(hash);
  }

  /** Writes the times of last uses. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writeUses();
  }

  #stored(id: string): StoredToken | null {
    for (const token of this.#byHash.values()) if (token.id === id) return token;
    return null;
  }

  #shown({ hash: _, ...token }: StoredToken): Token {
    return { ...token, usedAtMs: this.#used.get(token.id) ?? token.usedAtMs };
  }

  #noteUse(id: string, now: number): void {
    this.#used.set(id, now);
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#writeUses().catch(this.#parts.onFault);
    }, usedRestMs);
    this.#timer.unref();
  }

  async #writeUses(): Promise<void> {
    if (this.#used.size === 0) return;
    const times = [...this.#used];
    await this.#parts.store.used(times);
    for (const [id, atMs] of times) {
      if (this.#used.get(id) === atMs) this.#used.delete(id);
      const token = this.#stored(id);
      if (token !== null) this.#byHash.set(hex(token.hash), { ...token, usedAtMs: atMs });
    }
  }
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex");
}
