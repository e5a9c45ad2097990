// Counts the calls that may still load the bytes of a version, by digest: bytes that no version names any
// more are there until those calls have ended. In memory, for what the process serves.

import type { ModuleForm } from "./function.ts";

type Held = { count: number; readonly freed: (() => void)[] };

export class HeldDigests {
  readonly #held = new Map<string, Held>();

  /** Holds the bytes of a version until it is disposed of. */
  hold({ digest, files }: Pick<ModuleForm, "digest" | "files">): Disposable {
    this.#add(digest);
    if (files !== null) this.#add(files.digest);
    return {
      [Symbol.dispose]: () => {
        this.#remove(digest);
        if (files !== null) this.#remove(files.digest);
      },
    };
  }

  /** Resolves when no call holds these bytes; null when none does now. */
  freed(digest: string): Promise<void> | null {
    const held = this.#held.get(digest);
    return held === undefined ? null : new Promise((resolve) => held.freed.push(resolve));
  }

  #add(digest: string): void {
    const held = this.#held.get(digest);
    if (held === undefined) this.#held.set(digest, { count: 1, freed: [] });
    else held.count += 1;
  }

  #remove(digest: string): void {
    const held = this.#held.get(digest);
    if (held === undefined) return;
    held.count -= 1;
    if (held.count > 0) return;
    this.#held.delete(digest);
    for (const freed of held.freed) freed();
  }
}
