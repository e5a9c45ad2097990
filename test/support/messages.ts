// The guest's side of the messages of docs/abi.md, written apart from the host's so that both are
// held against the page and not against each other.

export type ResponseParts = {
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
};

/** A response message; text is UTF-8, header values are byte strings. */
export function responseMessage(parts: ResponseParts = {}): Buffer {
  const { status = 200, headers = [], body = "" } = parts;
  const head = [u32(status), u32(headers.length), ...headers.flatMap((pair) => pair.map(text))];
  const headBytes = head.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([u32(headBytes), ...head, Buffer.from(body as string)]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0, 0);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([u32(bytes.length), bytes]);
}

export type FetchParts = {
  readonly method?: string;
  readonly url: string;
  readonly redirects?: number;
  readonly timeoutMs?: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array;
};

/** A message that asks for a fetch. */
export function fetchMessage(parts: FetchParts): Buffer {
  const { method = "GET", url, redirects = 5, timeoutMs = 0, headers = [], body = "" } = parts;
  const head = Buffer.concat([
    text(method),
    text(url),
    u32(redirects),
    u32(timeoutMs),
    u32(headers.length),
    ...headers.flatMap((pair) => pair.map(text)),
  ]);
  return Buffer.concat([u32(head.length), head, Buffer.from(body as string)]);
}

export type SeenRequest = {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
};

/** Reads a request message. */
export function readRequestMessage(message: Buffer): SeenRequest {
  const headEnd = 4 + message.readUInt32LE(0);
  let offset = 4;
  const number = (): number => {
    offset += 4;
    return message.readUInt32LE(offset - 4);
  };
  const str = (): string => {
    const length = number();
    offset += length;
    return message.toString("utf8", offset - length, offset);
  };
  const [method, url, path, query, remoteAddress] = [str(), str(), str(), str(), str()] as const;
  const headers = Array.from({ length: number() }, () => [str(), str()] as const);
  if (offset !== headEnd) throw new Error(`The head has ${headEnd - offset} bytes left over`);
  return { method, url, path, query, remoteAddress, headers, body: message.subarray(headEnd) };
}
