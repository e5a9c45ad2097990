// Writes answers of guests that are whole, at the price that most answers are worth.

import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import type { GuestResponse } from "./guest-response.ts";

/** Node joins a string with the headers and writes both at once, which is cheaper than two buffers. */
export const joinedBytesMax = 16_384;

/** Each byte as the character of its number: as "latin1" they are written as they were. */
function byteString({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

/** Writes the answer of a guest that is whole, with further headers; names and values alternate. */
export function sendWhole(response: ServerResponse, guest: GuestResponse, further: readonly string[]): void {
  const headers = [...guest.headers, ...further];
  if (guest.contentLength !== null) headers.push("content-length", String(guest.contentLength));
  response.writeHead(guest.status, headers);
  if (guest.body === null || guest.body.byteLength === 0) response.end();
  else if (guest.body.byteLength > joinedBytesMax) response.end(guest.body);
  else response.end(byteString(guest.body), "latin1");
}
