// The host calls by which a guest of our own ABI reads a body and writes an answer in pieces (docs/abi.md).

import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import { GuestFault } from "../../guest-memory.ts";

/** Copies the next bytes of the body to a pointer: their number, 0 at its end. */
export function readBody(state: CallState, pointer: number, length: number): number | Promise<number> {
  const memory = state.enterRunning("body_read");
  state.waiter?.suspends();
  const bytesMax = memory.view(pointer, length).byteLength;
  if (bytesMax === 0) return 0;
  const give = (bytes: Uint8Array | null): number => {
    if (bytes === null) return 0;
    memory.write(pointer, bytes);
    state.streamed(bytes.byteLength);
    return bytes.byteLength;
  };
  const read = state.body.read(bytesMax);
  return read instanceof Promise ? read.then(give) : give(read);
}

/** Reads what is left of the body, which becomes the result: its length. */
export function readRest(state: CallState): number | Promise<number> {
  state.enterRunning("body_rest");
  if (state.headOnly) state.waiter?.suspends();
  const rest = new Rest(state);
  for (;;) {
    const read = state.body.read(limits.requestBodyBytesMax);
    if (read instanceof Promise) return readLater(state, rest, read);
    if (read === null) return rest.keep();
    rest.add(read);
  }
}

async function readLater(state: CallState, rest: Rest, first: Promise<Uint8Array | null>): Promise<number> {
  for (let part = await first; part !== null; part = await state.body.read(limits.requestBodyBytesMax)) {
    rest.add(part);
  }
  return rest.keep();
}

/** The parts of a body that is read whole. */
class Rest {
  readonly #state: CallState;
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(state: CallState) {
    this.#state = state;
  }

  add(part: Uint8Array): void {
    this.#length += part.byteLength;
    if (this.#length > limits.requestBodyBytesMax) {
      const found = `the rest of the body has more than ${limits.requestBodyBytesMax} bytes`;
      throw new GuestFault("body_too_large", `${found}; read it in pieces`);
    }
    if (this.#state.waiter?.keepResult(this.#length) !== true) {
      throw new GuestFault("overloaded", "there is no room for the rest of the body");
    }
    this.#parts.push(part.slice());
  }

  /** Makes it the host call's result. */
  keep(): number {
    this.#state.result = Buffer.concat(this.#parts);
    return this.#length;
  }
}

const headBytesMax = 2 * limits.responseHeaderBytesMax;

/** Begins an answer whose body is pushed. */
export function beginAnswer(state: CallState, pointer: number, length: number): void {
  const memory = state.enterRunning("response_begin");
  const head = memory.copy(pointer, length, headBytesMax, "the head of the answer");
  if (head.byteLength < 4 || 4 + new DataView(head.buffer).getUint32(0, true) !== head.byteLength) {
    throw new GuestFault("bad_guest_output", "the head of the answer is not as long as it says");
  }
  state.beginAnswer(head);
}

/** Adds bytes to the answer's body. */
export function pushAnswer(state: CallState, pointer: number, length: number): void | Promise<void> {
  const memory = state.enterRunning("response_push");
  const bytes = memory.view(pointer, length);
  const { writer } = state;
  if (writer === null)
    throw new GuestFault("bad_guest_output", "the function pushed before it began an answer");
  state.streamed(bytes.byteLength);
  return writer.write(bytes);
}
