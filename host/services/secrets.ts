// Secrets of functions between routes, calls and their store: sealed on the way in, opened for nothing but the
// set-up of a call. What it gives to whoever lists them holds no value.

import type { ListedSecret } from "../secret.ts";
import type { SecretBox } from "../secret-box.ts";
import { type SecretStore, secretPurpose } from "../store/secret-store.ts";

export class Secrets {
  readonly #store: SecretStore;
  readonly #box: SecretBox;
  /** Functions that have secrets, or had: most have none, and are not looked up for each of their set-ups. */
  readonly #having: Set<string>;

  constructor(store: SecretStore, box: SecretBox) {
    this.#store = store;
    this.#box = box;
    this.#having = new Set(store.functions());
  }

  list(functionName: string): ListedSecret[] {
    return this.#store.list(functionName);
  }

  /** Whether it is a new one. */
  async put(functionName: string, name: string, value: string): Promise<boolean> {
    const sealed = await this.#box.seal(value, secretPurpose(functionName, name));
    this.#having.add(functionName);
    return this.#store.put(functionName, { name, sealed });
  }

  /** Whether there was such a secret. */
  remove(functionName: string, name: string): Promise<boolean> {
    return this.#store.remove(functionName, name);
  }

  /** Opened, for the set-up of a call. */
  of(functionName: string): readonly (readonly [name: string, value: string])[] {
    if (!this.#having.has(functionName)) return [];
    return this.#store
      .sealed(functionName)
      .map(({ name, sealed }) => [name, this.#box.open(sealed, secretPurpose(functionName, name))]);
  }
}
