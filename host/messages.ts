// The two binary messages of docs/abi.md: the request that the host writes and the response that it
// reads. One buffer each, the same bytes from socket to guest and back. Used by http/ (both
// directions); never by a worker, which moves the bytes unread.

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
  const texts = [head.method, head.url, head.path, head.query, head.remoteAddress];
  let headBytes = 4;
  for (const text of texts) headBytes += 4 + Buffer.byteLength(text);
  for (const text of head.headers) headBytes += 4 + Buffer.byteLength(text);
  const size = 4 + headBytes + body.byteLength;
  // Its own buffer, never a slice of Node's pool, which posting would copy whole.
  const message = Buffer.from(size < sharedBytesMin ? new ArrayBuffer(size) : new SharedArrayBuffer(size));
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
  message.set(body, offset);
  return message;
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
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message.byteLength < 4) throw new MessageError("the message is shorter than its length field");
  const headEnd = 4 + view.getUint32(0, true);
  if (headEnd > message.byteLength) throw new MessageError("the head is longer than the message");
  let offset = 4;
  const number = (): number => {
    if (offset + 4 > headEnd) throw new MessageError("the head ends inside a number");
    offset += 4;
    return view.getUint32(offset - 4, true);
  };
  const text = (): string => {
    const length = number();
    if (length > headEnd - offset) throw new MessageError("a text is longer than the head");
    offset += length;
    try {
      return utf8.decode(message.subarray(offset - length, offset));
    } catch {
      throw new MessageError("a header is not UTF-8");
    }
  };
  const status = number();
  const count = number();
  if (count > headersMax) throw new MessageError(`${count} headers, limit is ${headersMax}`);
  const headers: [string, string][] = [];
  for (let index = 0; index < count; index += 1) headers.push([text(), text()]);
  if (offset !== headEnd) throw new MessageError("bytes are left over in the head");
  return { status, headers, body: message.subarray(headEnd) };
}
