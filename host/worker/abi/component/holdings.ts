// What an instance has of the host: handles, what is kept for them, and files that it has written. It is gone with its call, unless the
// instance goes on as it is: then what belongs to no call goes on with it, which its language's library relies
// on, and of what does a handle remains that can only be dropped.

import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import { FileSystem } from "../../filesystem/file-system.ts";
import { GuestFault } from "../../guest-memory.ts";
import type { Keep } from "./kept.ts";
import { Resources } from "./resources.ts";

/** What an instance may take along from call to call, beside its handles. */
const keptOnBytesMax = 65_536;

export class Holdings {
  readonly resources = new Resources();
  /** Of the call that runs now: its files count as its memory. */
  #state: CallState | null = null;
  #files: FileSystem | null = null;
  #fileBytes = 0;
  #keptBytes = 0;

  begin(state: CallState): void {
    this.#state = state;
  }

  /** Made when one of its calls first asks for a file. */
  files({ setting }: CallState): FileSystem {
    this.#files ??= new FileSystem(setting.files, (bytes) => this.#hold(bytes), Date.now);
    return this.#files;
  }

  /** Counts what is kept for a resource; what speaks against more of it. */
  readonly keep: Keep = (bytes) => {
    const kept = this.#keptBytes + bytes;
    if (bytes > 0 && kept > limits.keptBytesMax) {
      return new GuestFault(
        "guest_trapped",
        `the host would keep more than ${limits.keptBytesMax} bytes for it`,
      );
    }
    if (!this.#count(this.#fileBytes + kept)) {
      return new GuestFault("overloaded", "the host has no room for what it keeps for the function");
    }
    this.#keptBytes = kept;
    return null;
  };

  #hold(bytes: number): boolean {
    const held = this.#fileBytes + bytes;
    if (!this.#count(held + this.#keptBytes)) return false;
    this.#fileBytes = held;
    return true;
  }

  /** Of a call that is over nothing is counted any more. */
  #count(bytes: number): boolean {
    const state = this.#state;
    return state === null || state.phase === "ended" || state.waiter?.keepFiles(bytes) !== false;
  }

  /** Whether another call may have them: none inherits files, nor a table that will soon be full. */
  callEnded(): boolean {
    this.resources.callEnded();
    const isLight = this.#fileBytes === 0 && this.#keptBytes <= keptOnBytesMax;
    return isLight && this.resources.count <= limits.resourcesPerCallMax / 2;
  }
}
