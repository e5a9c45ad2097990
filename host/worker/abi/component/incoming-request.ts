// The request of a call as wasi:http has it, read from the request message (docs/abi.md) when it is asked for.

import type { CallState } from "../../call-state.ts";
import { Fields } from "./fields.ts";
import { IncomingBody } from "./http-bodies.ts";
import type { Keep } from "./kept.ts";

type Head = {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [string, string])[];
};

export class IncomingRequest {
  readonly ofCall = true;
  readonly #state: CallState;
  #head: Head | null = null;
  #isConsumed = false;

  constructor(state: CallState) {
    this.#state = state;
  }

  get method(): string {
    return this.#read().method;
  }

  get pathWithQuery(): string {
    const { path, query } = this.#read();
    return query === "" ? path : `${path}?${query}`;
  }

  /** "http" or "https". */
  get scheme(): string {
    return this.#read().url.split(":", 1)[0] ?? "";
  }

  get authority(): string | undefined {
    return /^[a-z]+:\/\/([^/?]*)/.exec(this.#read().url)?.[1];
  }

  headers(keep: Keep): Fields {
    return new Fields(keep, this.#read().headers, true);
  }

  /** Null when its body has been taken. */
  consume(): IncomingBody | null {
    if (this.#isConsumed) return null;
    this.#isConsumed = true;
    const state = this.#state;
    const counted = (bytes: Uint8Array | null): Uint8Array | null => {
      if (bytes !== null) state.streamed(bytes.byteLength);
      return bytes;
    };
    return new IncomingBody((max) => {
      const read = state.body.read(max);
      return read instanceof Promise ? read.then(counted) : counted(read);
    });
  }

  #read(): Head {
    this.#head ??= headOf(this.#state.request);
    return this.#head;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** The host wrote it: nothing in it has to be checked. */
function headOf(message: Uint8Array): Head {
  const view = viewOf(message);
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let at = 4;
  const number = (): number => {
    at += 4;
    return view.getUint32(at - 4, true);
  };
  const text = (): string => {
    const end = number() + at;
    const value = bytes.toString("utf8", at, end);
    at = end;
    return value;
  };
  const [method, url, path, query] = [text(), text(), text(), text()];
  text();
  const headers = Array.from({ length: number() }, () => [text(), text()] as const);
  return { method, url, path, query, headers };
}
