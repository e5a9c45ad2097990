// The streams of one call as the invoker keeps them: an answer that comes in pieces is passed on to who
// can take it so, and joined for the others, within the bounds of an answer that comes whole.

import { type CallAbandoned, HostError } from "../errors.ts";
import type { Timings } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { BodyPost, CallStreams } from "./call-streams.ts";
import { timingsBefore } from "./call-timings.ts";
import type { Deadline } from "./deadline.ts";
import type { ModuleLoad } from "./modules.ts";

/** Where an answer goes as it comes. */
export type AnswerSink = {
  /** Takes further bytes of its body; `taken` is called once their memory is not needed any more. Throws HostError. */
  write(bytes: Uint8Array, taken: () => void): void;
};

/** An answer that has begun. */
export type AnswerStart = {
  /** A response message without a body. */
  readonly head: Uint8Array;
  /** Those that are over by now. */
  readonly timings: Timings;
};

/** A request's body that comes while its guest runs. */
export type BodySource = {
  /** Its guest wants it: bytes go into `into` from now on. `fail` ends the call with a reason. */
  pull(into: BodyPost, fail: (error: HostError | CallAbandoned) => void): void;
};

/** What a call has of streams. */
export type StreamedRequest = {
  /** Takes an answer that comes in pieces, when it begins; without it the answer is joined. Throws HostError. */
  readonly onAnswer?: ((start: AnswerStart) => AnswerSink) | undefined;
  /** Its body, where that is not in the message: for modules that read it as it comes. */
  readonly body?: BodySource | undefined;
};

export class StreamedCall implements CallStreams {
  readonly #request: StreamedRequest;
  readonly #load: ModuleLoad;
  readonly #acceptedAtMs: number;
  readonly #deadline: Pick<Deadline, "end">;
  #sink: AnswerSink | null = null;
  #joined: Uint8Array[] | null = null;
  #joinedBytes = 0;
  /** Why the call is to end though its guest goes on. */
  failure: HostError | null = null;

  constructor(
    request: StreamedRequest,
    load: ModuleLoad,
    acceptedAtMs: number,
    deadline: Pick<Deadline, "end">,
  ) {
    this.#request = request;
    this.#load = load;
    this.#acceptedAtMs = acceptedAtMs;
    this.#deadline = deadline;
  }

  get bodyComes(): boolean {
    return this.#request.body !== undefined;
  }

  head({ message, begunAtMs, instantiateMs }: Parameters<CallStreams["head"]>[0]): void {
    const { onAnswer } = this.#request;
    if (onAnswer === undefined) {
      this.#joined = [message];
      return;
    }
    const before = timingsBefore(this.#load, this.#acceptedAtMs, begunAtMs);
    const timings = { ...before, instantiate: instantiateMs };
    this.#orFail(() => {
      this.#sink = onAnswer({ head: message, timings });
    });
  }

  chunk(bytes: Uint8Array, taken: () => void): void {
    // A guest that is to stop waits no longer for this to be taken.
    if (this.failure !== null) return;
    const sink = this.#sink;
    this.#orFail(() => {
      if (sink !== null) return sink.write(bytes, taken);
      this.#joinedBytes += bytes.byteLength;
      if (this.#joinedBytes > limits.responseBodyBytesMax) {
        throw new HostError(
          "bad_guest_output",
          `The function's answer is no valid response: the body has more than ${limits.responseBodyBytesMax} bytes, which is the limit where it is taken whole`,
        );
      }
      this.#joined?.push(bytes.slice());
      taken();
    });
  }

  pull(into: BodyPost): void {
    this.#request.body?.pull(into, (error) => this.#failed(error));
  }

  /** The answer as a message, for who takes it whole; null when it was passed on. */
  answer(): Uint8Array | null {
    return this.#joined && Buffer.concat(this.#joined);
  }

  #orFail(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#failed(error);
    }
  }

  #failed(error: HostError | CallAbandoned): void {
    if (this.failure !== null) return;
    if (error instanceof HostError) this.failure = error;
    this.#deadline.end(error);
  }
}
