// The binary messages of docs/abi.md: the request that the host writes and the response that it reads,
// and both the other way round for a guest's fetch. One buffer each, the same bytes from socket to guest
// and back. Used by http/ and outbound/; by a worker only for guests that speak in other forms than these.

import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";

/** The request a guest sees; header names and values alternate, as Node has them in `rawHeaders`. */
export type RequestHead = {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly headers: readonly string[];
};

/** From this size on a request lies in shared memory: it is posted without a copy, more than once. */
const sharedBytesMin = 65_536;

/** Encodes head and body into one message. Text is UTF-8; a header value is a byte string. */
export function encodeRequest(head: RequestHead, body: Uint8Array): Uint8Array {
  return encodeAscii(head, body) ?? encodeText(head, body);
}

/** One that is all ASCII, as most are, has as many bytes as characters; null when it is another. */
function encodeAscii(head: RequestHead, body: Uint8Array): Uint8Array | null {
  const { method, url, path, query, remoteAddress, headers } = head;
  const characters = method.length + url.length + path.length + query.length + remoteAddress.length;
  let headBytes = 24 + characters + 4 * headers.length;
  for (let index = 0; index < headers.length; index += 1) headBytes += headers[index]?.length ?? 0;
  const message = messageOf(4 + headBytes + body.byteLength);
  putNumber(message, 0, headBytes);
  let offset = putAscii(message, 4, method);
  offset = putAscii(message, offset, url);
  offset = putAscii(message, offset, path);
  offset = putAscii(message, offset, query);
  offset = putAscii(message, offset, remoteAddress);
  if (offset === notAscii) return null;
  putNumber(message, offset, headers.length / 2);
  offset += 4;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    offset = putAscii(message, offset, (headers[index] ?? "").toLowerCase());
    offset = putAscii(message, offset, headers[index + 1] ?? "");
  }
  if (offset === notAscii) return null;
  return withBody(message, offset, body);
}

const notAscii = -1;
/** From so many characters on the engine's own functions are quicker than a loop, their call included. */
const longText = 64;

/** Writes the length of a text and the text, and tells the offset behind it; `notAscii` stays what it is. */
function putAscii(message: Buffer, offset: number, text: string): number {
  const { length } = text;
  if (offset === notAscii) return notAscii;
  putNumber(message, offset, length);
  const start = offset + 4;
  if (length >= longText) {
    if (Buffer.byteLength(text) !== length) return notAscii;
    return start + message.write(text, start, "latin1");
  }
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return notAscii;
    message[start + index] = code;
  }
  return start + length;
}

function putNumber(message: Uint8Array, offset: number, number: number): void {
  message[offset] = number;
  message[offset + 1] = number >>> 8;
  message[offset + 2] = number >>> 16;
  message[offset + 3] = number >>> 24;
}

function encodeText(head: RequestHead, body: Uint8Array): Uint8Array {
  const texts = [head.method, head.url, head.path, head.query, head.remoteAddress];
  let headBytes = 4;
  for (const text of texts) headBytes += 4 + Buffer.byteLength(text);
  for (const text of head.headers) headBytes += 4 + Buffer.byteLength(text);
  const message = messageOf(4 + headBytes + body.byteLength);
  let offset = message.writeUInt32LE(headBytes, 0);
  const text = (value: string): void => {
    const bytes = message.write(value, offset + 4);
    offset = message.writeUInt32LE(bytes, offset) + bytes;
  };
  for (const value of texts) text(value);
  offset = message.writeUInt32LE(head.headers.length / 2, offset);
  head.headers.forEach((value, index) => {
    text(index % 2 === 0 ? value.toLowerCase() : value);
  });
  return withBody(message, offset, body);
}

function messageOf(bytes: number): Buffer {
  return bytes < sharedBytesMin ? Buffer.allocUnsafe(bytes) : Buffer.from(new SharedArrayBuffer(bytes));
}

function withBody(message: Buffer, offset: number, body: Uint8Array): Uint8Array {
  if (body.byteLength > 0) message.set(body, offset);
  // The room may hold what it held before: not a byte of it may stay (docs/threat-model.md D2).
  assert.equal(offset + body.byteLength, message.byteLength);
  return message;
}

/** Reads the head of a request message of our own making back; its body begins at `headEnd`. */
export function decodeRequest(message: Uint8Array): RequestHead {
  // It may lie in shared memory, which decoders do not read.
  const head = new HeadReader(Uint8Array.from(message.subarray(0, headEnd(message))));
  const method = head.text();
  const url = head.text();
  const path = head.text();
  const query = head.text();
  const remoteAddress = head.text();
  const headers = head.headers(Number.POSITIVE_INFINITY).flat();
  return { method, url, path, query, remoteAddress, headers };
}

export type ResponseMessage = {
  readonly status: number;
  /** Name and value pairs, unchecked. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};

/** A message that breaks the layout; the message text names the fault. */
export class MessageError extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes a response message, trusting nothing in it: a length that leaves the head, more headers
 * than `headersMax`, text that is not UTF-8 or bytes left over in the head throw MessageError.
 */
export function decodeResponse(message: Uint8Array, headersMax: number): ResponseMessage {
  const head = new HeadReader(message);
  const status = head.number();
  const headers = head.headers(headersMax);
  return { status, headers, body: head.rest() };
}

/** Encodes a response; header names and values alternate. It lies in memory of its own. */
export function encodeResponse(
  status: number,
  headers: readonly string[],
  body: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const texts = headers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
  return encodeHead([status, headers.length / 2, ...texts], body);
}

/** Encodes the answer to a guest's question. */
export function encodeAnswer(values: readonly string[], body: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeHead([values.length, ...values], body);
}

/** Encodes a question for a guest that does not write it itself. */
export function encodeQuestion({ operation, args, body }: Question): Uint8Array<ArrayBuffer> {
  return encodeHead([operation, args.length, ...args], body);
}

/** Encodes what is to be fetched for a guest that does not write it itself. */
export function encodeFetch(wanted: FetchMessage): Uint8Array<ArrayBuffer> {
  const { method, url, redirects, timeoutMs, headers, body } = wanted;
  return encodeHead([method, url, redirects, timeoutMs, headers.length, ...headers.flat()], body);
}

function encodeHead(parts: readonly (number | string)[], body: Uint8Array): Uint8Array<ArrayBuffer> {
  let headBytes = 0;
  for (const part of parts) headBytes += 4 + (typeof part === "string" ? Buffer.byteLength(part) : 0);
  const message = Buffer.from(new ArrayBuffer(4 + headBytes + body.byteLength));
  let offset = message.writeUInt32LE(headBytes, 0);
  for (const part of parts) {
    if (typeof part === "number") offset = message.writeUInt32LE(part, offset);
    else {
      const bytes = message.write(part, offset + 4);
      offset = message.writeUInt32LE(bytes, offset) + bytes;
    }
  }
  message.set(body, offset);
  return message;
}

/** What a guest asks of the host. */
export type Question = {
  readonly operation: string;
  readonly args: readonly string[];
  readonly body: Uint8Array;
};

const argsMax = 64;

/** Decodes a guest's question; throws MessageError as `decodeResponse`. */
export function decodeQuestion(message: Uint8Array): Question {
  const head = new HeadReader(message);
  const operation = head.text();
  const count = head.number();
  if (count > argsMax) throw new MessageError(`${count} arguments, limit is ${argsMax}`);
  const args = Array.from({ length: count }, () => head.text());
  return { operation, args, body: head.rest() };
}

/** Decodes the answer to a guest's question, which the host wrote. */
export function decodeAnswer(message: Uint8Array): {
  readonly values: readonly string[];
  readonly body: Uint8Array;
} {
  const head = new HeadReader(message);
  const values = Array.from({ length: head.number() }, () => head.text());
  return { values, body: head.rest() };
}

/** What a guest wants fetched. */
export type FetchMessage = {
  readonly method: string;
  readonly url: string;
  /** Redirects to follow at most. */
  readonly redirects: number;
  /** 0: no other limit than the call's own. */
  readonly timeoutMs: number;
  /** Name and value pairs, unchecked. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};

/** Decodes what a guest wants fetched; throws MessageError as `decodeResponse`. */
export function decodeFetch(message: Uint8Array, headersMax: number): FetchMessage {
  const head = new HeadReader(message);
  const method = head.text();
  const url = head.text();
  const redirects = head.number();
  const timeoutMs = head.number();
  const headers = head.headers(headersMax);
  return { method, url, redirects, timeoutMs, headers, body: head.rest() };
}

/** Where the head of a message ends and its body begins, as the message says; NaN of one that is too short. */
export function headEnd(message: Uint8Array): number {
  return message.byteLength < 4 ? Number.NaN : 4 + numberAt(message, 0);
}

function numberAt(message: Uint8Array, offset: number): number {
  const byte = (index: number): number => message[offset + index] as number;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16)) + byte(3) * 2 ** 24;
}

/** A longer head is read text by text. */
const headAtOnceMax = 1_024;

/** Reads the head of a message that a guest wrote. */
class HeadReader {
  readonly #message: Uint8Array;
  readonly #end: number;
  /** Each byte of a short head as the character of its number: its texts that are ASCII are parts of it. */
  readonly #characters: string;
  #offset = 4;

  constructor(message: Uint8Array) {
    this.#message = message;
    this.#end = headEnd(message);
    if (Number.isNaN(this.#end)) throw new MessageError("the message is shorter than its length field");
    if (this.#end > message.byteLength) throw new MessageError("the head is longer than the message");
    this.#characters =
      this.#end > headAtOnceMax ? "" : Buffer.prototype.latin1Slice.call(message, 0, this.#end);
  }

  number(): number {
    if (this.#offset + 4 > this.#end) throw new MessageError("the head ends inside a number");
    this.#offset += 4;
    return numberAt(this.#message, this.#offset - 4);
  }

  text(): string {
    const length = this.number();
    if (length > this.#end - this.#offset) throw new MessageError("a text is longer than the head");
    const start = this.#offset;
    this.#offset += length;
    // A decoder costs as much as all else that is done with a short head.
    if (this.#offset <= this.#characters.length && this.#isAscii(start, this.#offset)) {
      return this.#characters.slice(start, this.#offset);
    }
    try {
      return utf8.decode(this.#message.subarray(start, this.#offset));
    } catch {
      throw new MessageError("a text of the head is not UTF-8");
    }
  }

  #isAscii(start: number, end: number): boolean {
    for (let index = start; index < end; index += 1) {
      if ((this.#message[index] as number) > 0x7f) return false;
    }
    return true;
  }

  /** A count and as many pairs of name and value. */
  headers(countMax: number): [string, string][] {
    const count = this.number();
    if (count > countMax) throw new MessageError(`${count} headers, limit is ${countMax}`);
    const headers: [string, string][] = [];
    for (let index = 0; index < count; index += 1) headers.push([this.text(), this.text()]);
    return headers;
  }

  /** What follows the head, which has to be read by now. */
  rest(): Uint8Array {
    if (this.#offset !== this.#end) throw new MessageError("bytes are left over in the head");
    return this.#message.subarray(this.#end);
  }
}
