// From the guest's response message to what may be sent: everything in it is checked, a fault is
// `bad_guest_output` and never an exception of the host (docs/threat-model.md H7, H8, B1-B6).

import { Buffer } from "node:buffer";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { decodeResponse, headEnd, MessageError, type ResponseMessage } from "../messages.ts";
import { headerFault, responseHeaders } from "./headers.ts";

export type GuestResponse = {
  readonly status: number;
  /** Names and values alternate. */
  readonly headers: readonly string[];
  /** Null where the status or the method forbids content. */
  readonly body: Uint8Array | null;
  /** The value of Content-Length, or null to send none. */
  readonly contentLength: number | null;
};

/** Reads and checks a response message; throws `bad_guest_output`. */
export function readGuestResponse(message: Uint8Array, method: string): GuestResponse {
  const { status, headers, body } = read(message);
  if (body.byteLength > limits.responseBodyBytesMax) {
    throw fault(`the body has ${body.byteLength} bytes, limit is ${limits.responseBodyBytesMax}`);
  }
  // RFC 9110: no content with 204 (15.3.5), 205 (15.3.6) and 304 (15.4.5), none in answer to HEAD (9.3.2).
  if (status === 204 || status === 304) return { status, headers, body: null, contentLength: null };
  if (status === 205) return { status, headers, body: null, contentLength: 0 };
  return { status, headers, body: method === "HEAD" ? null : body, contentLength: body.byteLength };
}

type Head = { readonly status: number; readonly headers: readonly string[] };

/** Heads that were found good, each byte of one a character: a function's answers have a few, over and over. */
const goodHeads = new Map<string, Head>();
const goodHeadsMax = 1_000;
const goodHeadBytesMax = 256;

function read(message: Uint8Array): Head & { readonly body: Uint8Array } {
  const end = headEnd(message);
  // What is no message has no such end either.
  if (!(end <= goodHeadBytesMax && end <= message.byteLength)) return readAnew(message);
  const bytes = Buffer.prototype.latin1Slice.call(message, 0, end);
  const known = goodHeads.get(bytes);
  if (known !== undefined) {
    return { status: known.status, headers: known.headers, body: message.subarray(end) };
  }
  const { status, headers, body } = readAnew(message);
  if (goodHeads.size >= goodHeadsMax) goodHeads.clear();
  goodHeads.set(bytes, { status, headers });
  return { status, headers, body };
}

function readAnew(message: Uint8Array): Head & { readonly body: Uint8Array } {
  const { status, headers, body } = decode(message);
  if (status < 200 || status > 599) throw fault(`status is ${status}, want 200 to 599`);
  let headerBytes = 0;
  for (const [name, value] of headers) {
    headerBytes += name.length + value.length;
    const reason = headerFault(name, value);
    if (reason !== null) throw fault(reason);
  }
  if (headerBytes > limits.responseHeaderBytesMax) {
    throw fault(`headers have ${headerBytes} bytes, limit is ${limits.responseHeaderBytesMax}`);
  }
  return { status, headers: responseHeaders(headers), body };
}

function decode(message: Uint8Array): ResponseMessage {
  try {
    return decodeResponse(message, limits.responseHeadersMax);
  } catch (error) {
    if (error instanceof MessageError) throw fault(error.message);
    throw error;
  }
}

function fault(reason: string): HostError {
  return new HostError("bad_guest_output", `The function's answer is no valid response: ${reason}`);
}
