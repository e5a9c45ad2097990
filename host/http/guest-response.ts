// From the guest's response message to what may be sent: everything in it is checked, a fault is
// `bad_guest_output` and never an exception of the host (docs/threat-model.md H7, H8, B1-B6).

import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { decodeResponse, MessageError, type ResponseMessage } from "../messages.ts";
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
  if (body.byteLength > limits.responseBodyBytesMax) {
    throw fault(`the body has ${body.byteLength} bytes, limit is ${limits.responseBodyBytesMax}`);
  }
  const kept = responseHeaders(headers);
  // RFC 9110: no content with 204 (15.3.5), 205 (15.3.6) and 304 (15.4.5), none in answer to HEAD (9.3.2).
  if (status === 204 || status === 304) return { status, headers: kept, body: null, contentLength: null };
  if (status === 205) return { status, headers: kept, body: null, contentLength: 0 };
  return { status, headers: kept, body: method === "HEAD" ? null : body, contentLength: body.byteLength };
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
