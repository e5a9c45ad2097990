// From a guest's response message to a web standard Response.

import { decodeAnswer } from "./guest-abi.js";

/** @param {Uint8Array<ArrayBuffer>} message a response message */
export function webResponse(message) {
  const { status, headers, body } = decodeAnswer(message);
  return new Response(body, { status, headers });
}
