// Asking other servers, and other functions.

import { FetchRequest } from "./fetch-request";
import { FetchResponse } from "./fetch-response";
import { fetch as hostFetch, result_read } from "./host/mayfly";
import { decodeUtf8 } from "./utf8";

/**
 * Gets a URL and waits for the answer; the thread runs other calls meanwhile. The host has to be in
 * the function's `allowedHosts`. `http://NAME.mayfly.internal/` is the function NAME on the same
 * host, which is always allowed and needs no network.
 *
 * ```ts
 * const res = fetch("https://api.example.com/weather?city=Bern");
 * if (!res.ok) return Response.text("no weather: " + res.error, 502);
 * ```
 */
export function fetch(url: string): FetchResponse {
  return fetchRequest(new FetchRequest(url));
}

/**
 * As `fetch`, with a method, headers and a body.
 *
 * ```ts
 * const res = fetchRequest(FetchRequest.json("http://orders.mayfly.internal/", order));
 * ```
 */
export function fetchRequest(request: FetchRequest): FetchResponse {
  const message = request.encode();
  const length = hostFetch(changetype<usize>(message), <usize>message.byteLength);
  const result = new ArrayBuffer(abs(length));
  result_read(changetype<usize>(result));
  if (length >= 0) return new FetchResponse(result, "");
  return new FetchResponse(result, decodeUtf8(changetype<usize>(result), result.byteLength));
}
