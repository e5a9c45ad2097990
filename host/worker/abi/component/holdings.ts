// What an instance has of the host: handles, and files that it has written. It is gone with its call, unless the
// instance goes on as it is: then what belongs to no call goes on with it, which its language's library relies
// on, and of what does a handle remains that can only be dropped.

import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import { FileSystem } from "../../filesystem/file-system.ts";
import { Resources } from "./resources.ts";

export class Holdings {
  readonly resources = new Resources();
  /** Of the call that runs now: its files count as its memory. */
  #state: CallState | null = null;
  #files: FileSystem | null = null;
  #fileBytes = 0;

  begin(state: CallState): void {
    this.#state = state;
  }

  /** Made when one of its calls first asks for a file. */
  files({ setting }: CallState): FileSystem {
    this.#files ??= new FileSystem(setting.files, (bytes) => this.#hold(bytes), Date.now);
    return this.#files;
  }

  #hold(bytes: number): boolean {
    const held = this.#fileBytes + bytes;
    if (this.#state?.waiter?.keepFiles(held) === false) return false;
    this.#fileBytes = held;
    return true;
  }

  /** Whether another call may have them: none inherits files, nor a table that will soon be full. */
  callEnded(): boolean {
    this.resources.callEnded();
    return this.#fileBytes === 0 && this.resources.count <= limits.resourcesPerCallMax / 2;
  }
}
