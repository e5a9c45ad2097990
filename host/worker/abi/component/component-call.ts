// What WASI keeps for one call of a component: what it says on its standard streams, the answer it gives, and
// its errands, one after the other; and the way to what its instance holds. Made for one call and never used again.

import type { ErrandKind, ErrandReply } from "../../../invocation.ts";
import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import type { FileSystem } from "../../filesystem/file-system.ts";
import { GuestFault } from "../../guest-memory.ts";
import { LineLog } from "../wasi/streams.ts";
import type { Holdings } from "./holdings.ts";
import type { Keep } from "./kept.ts";
import type { OutgoingResponse } from "./outgoing-response.ts";
import type { Resources } from "./resources.ts";

const errandsMax: Readonly<Record<ErrandKind, number>> = {
  fetch: limits.fetchesPerCallMax,
  ask: limits.asksPerCallMax,
};

export class ComponentCall {
  readonly state: CallState;
  readonly holdings: Holdings;
  /** Whether it answered, or the error it answered with instead. */
  answered: boolean | { readonly error: string } = false;
  readonly stdout: LineLog;
  readonly stderr: LineLog;
  #errand: Promise<unknown> = Promise.resolve();
  #errands = 0;

  constructor(state: CallState, holdings: Holdings) {
    this.state = state;
    this.holdings = holdings;
    holdings.begin(state);
    this.stdout = new LineLog(state.log);
    this.stderr = new LineLog(state.log);
  }

  get resources(): Resources {
    return this.holdings.resources;
  }

  get keep(): Keep {
    return this.holdings.keep;
  }

  get files(): FileSystem {
    return this.holdings.files(this.state);
  }

  /** Has the main thread do something, when what it does already for this call is done. */
  errand(kind: ErrandKind, message: Uint8Array<ArrayBuffer>): Promise<ErrandReply> {
    const { errands, errandCounts } = this.state;
    if (errands === null) throw new Error("A component ran with nobody to do its errands");
    errandCounts[kind] += 1;
    if (errandCounts[kind] > errandsMax[kind]) {
      const reason = `overloaded: more than ${errandsMax[kind]} of kind ${kind}`;
      return Promise.resolve({ failed: true, message: new TextEncoder().encode(reason) });
    }
    // The first begins here and now: where nothing may be waited for, this ends the guest.
    const begun =
      this.#errands === 0 ? errands.run(kind, message) : this.#errand.then(() => errands.run(kind, message));
    this.#errands += 1;
    const ended = begun.finally(() => {
      this.#errands -= 1;
    });
    this.#errand = ended.catch(() => {});
    return ended;
  }

  /** Nobody waits for its errands any more. */
  end(): void {
    this.stdout.flush();
    this.stderr.flush();
    if (this.#errands > 0) this.state.errands?.forget();
  }

  /** Answers with a response, or with an error in its place. */
  answer(
    answered: { readonly response: OutgoingResponse } | { readonly error: string },
  ): void | Promise<void> {
    if (this.answered !== false) throw new GuestFault("bad_guest_output", "the function answered twice");
    this.answered = "error" in answered ? answered : true;
    if ("response" in answered) return answered.response.answer(this.state);
  }
}
