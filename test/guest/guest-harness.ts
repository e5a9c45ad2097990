// The imports of docs/abi.md in plain JavaScript, enough to run a compiled function in a test: no
// limits and no isolation. What the real host adds is tested with the host.

import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";

export type GuestRequest = {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
};

export type GuestHost = {
  readonly env?: Readonly<Record<string, string>>;
  readonly nowMs?: number;
};

export type GuestAnswer = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly contentType: string | undefined;
  readonly body: Buffer;
  readonly text: string;
  /** Level and text of each line. */
  readonly log: readonly string[];
};

/** What the guest's abort said; it ends the call. */
export class GuestAbort extends Error {
  readonly place: string;

  constructor(message: string, place: string) {
    super(message);
    this.place = place;
  }
}

/** Runs one call in a new instance. */
export function callGuest(
  module: WebAssembly.Module,
  request: GuestRequest,
  host: GuestHost = {},
): GuestAnswer {
  const whole = encodeRequest(request);
  const bodyStart = 4 + whole.readUInt32LE(0);
  const readsBody = WebAssembly.Module.imports(module).some(({ name }) => name === "body_read");
  const message = readsBody ? whole.subarray(0, bodyStart) : whole;
  let body = readsBody ? whole.subarray(bodyStart) : Buffer.alloc(0);
  const pushed: Buffer[] = [];
  const log: string[] = [];
  const levels = ["debug", "info", "warn", "error"];
  let memory = new WebAssembly.Memory({ initial: 1 });
  let result = Buffer.alloc(0);
  let answer: Buffer | undefined;
  const bytes = (pointer: number, length: number): Buffer =>
    Buffer.from(memory.buffer as ArrayBuffer, pointer >>> 0, length >>> 0);
  const string = (pointer: number): string =>
    pointer === 0 ? "" : bytes(pointer, bytes(pointer - 4, 4).readUInt32LE()).toString("utf16le");
  const line = (level: string) => (pointer: number) => void log.push(`${level} ${string(pointer)}`);
  const instance = new WebAssembly.Instance(module, {
    mayfly: {
      request_read: (pointer: number) => void message.copy(bytes(pointer, message.length)),
      response_write: (pointer: number, length: number) => {
        assert.equal(answer, undefined, "a response is written once");
        answer = Buffer.from(bytes(pointer, length));
      },
      body_read: (pointer: number, length: number) => {
        const read = body.copy(bytes(pointer, length));
        body = body.subarray(read);
        return read;
      },
      body_rest: () => {
        result = Buffer.from(body);
        body = Buffer.alloc(0);
        return result.length;
      },
      response_begin: (pointer: number, length: number) => {
        assert.equal(pushed.length, 0, "a response begins once");
        pushed.push(Buffer.from(bytes(pointer, length)));
      },
      response_push: (pointer: number, length: number) =>
        void pushed.push(Buffer.from(bytes(pointer, length))),
      response_end: () => {
        assert.equal(answer, undefined, "a response ends once");
        answer = Buffer.concat(pushed);
      },
      env_get: (pointer: number, length: number) => {
        const value = host.env?.[bytes(pointer, length).toString()];
        if (value === undefined) return -1;
        result = Buffer.from(value);
        return result.length;
      },
      result_read: (pointer: number) => void result.copy(bytes(pointer, result.length)),
      log: (level: number, pointer: number, length: number) =>
        void log.push(`${levels[level]} ${bytes(pointer, length).toString()}`),
      now: () => host.nowMs ?? 0,
      sleep: () => {},
      random: (pointer: number, length: number) => void bytes(pointer, length).fill(0xa5),
    },
    env: {
      abort: (text: number, file: number, lineNumber: number, column: number) => {
        throw new GuestAbort(string(text), `${string(file)}:${lineNumber}:${column}`);
      },
      seed: () => 42,
      "Date.now": () => host.nowMs ?? 0,
      "console.log": line("log"),
      "console.error": line("error"),
    },
  });
  memory = instance.exports.memory as WebAssembly.Memory;
  (instance.exports.mayfly_handle as (length: number) => void)(message.length);
  assert(answer !== undefined, "the guest answered");
  return { ...decodeResponse(answer), log };
}

function encodeRequest(request: GuestRequest): Buffer {
  const { method = "GET", path = "/", query = "", headers = [], body = "" } = request;
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const str = (text: string): Buffer => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]);
  const url = `http://localhost/fn/test${path}${query === "" ? "" : `?${query}`}`;
  const head = Buffer.concat([
    ...[method, url, path, query, "192.0.2.7"].map(str),
    u32(headers.length),
    ...headers.flatMap(([name, value]) => [str(name), str(value)]),
  ]);
  return Buffer.concat([u32(head.length), head, typeof body === "string" ? Buffer.from(body) : body]);
}

function decodeResponse(message: Buffer): Omit<GuestAnswer, "log"> {
  const headEnd = 4 + message.readUInt32LE(0);
  const status = message.readUInt32LE(4);
  let at = 12;
  const str = (): string => {
    const length = message.readUInt32LE(at);
    at += 4 + length;
    return message.subarray(at - length, at).toString();
  };
  const headers = Array.from({ length: message.readUInt32LE(8) }, () => [str(), str()] as const);
  assert.equal(at, headEnd, "the head is as long as it says");
  const body = message.subarray(headEnd);
  const contentType = headers.find(([name]) => name === "content-type")?.[1];
  return { status, headers, contentType, body, text: body.toString() };
}
