// What a function asks of another one, or of a server elsewhere.

import { Headers } from "./headers";
import { utf8Bytes } from "./utf8";

/**
 * A request for `fetchRequest`.
 *
 * ```ts
 * const req = FetchRequest.json("https://api.example.com/orders", order.toString());
 * const res = fetchRequest(req.header("authorization", "Bearer " + token));
 * ```
 */
export class FetchRequest {
  /**
   * An absolute `http:` or `https:` URL, without user name and password.
   *
   * ```ts
   * req.url = "https://example.com/";
   * ```
   */
  url: string;

  /**
   * The method, as it is sent.
   *
   * ```ts
   * req.method = "DELETE";
   * ```
   */
  method: string;

  /**
   * The header fields. `req.header(name, value)` is the short way to set one. `host`, the length and
   * what concerns the connection alone are the host's business: yours are dropped.
   *
   * ```ts
   * req.headers.append("accept", "application/json");
   * ```
   */
  readonly headers: Headers = new Headers();

  /**
   * The body, empty unless given.
   *
   * ```ts
   * req.body = pixels;
   * ```
   */
  body: Uint8Array;

  /**
   * How many redirects to follow, at most 5; with 0 the redirect itself is the answer.
   *
   * ```ts
   * req.redirects = 0;
   * ```
   */
  redirects: i32 = 5;

  /**
   * After so many milliseconds the fetch fails; 0 is no limit of its own. The function's time-out
   * goes on.
   *
   * ```ts
   * req.timeoutMs = 500;
   * ```
   */
  timeoutMs: i32 = 0;

  /**
   * A request, GET and without a body unless told otherwise.
   *
   * ```ts
   * const res = fetchRequest(new FetchRequest("https://example.com/item/7", "DELETE"));
   * ```
   */
  constructor(url: string, method: string = "GET", body: Uint8Array | null = null) {
    this.url = url;
    this.method = method;
    this.body = body === null ? new Uint8Array(0) : body;
  }

  /**
   * A request that sends JSON text.
   *
   * ```ts
   * const req = FetchRequest.json("https://example.com/items", '{"name":"pin"}');
   * ```
   */
  static json(url: string, json: string, method: string = "POST"): FetchRequest {
    const request = new FetchRequest(url, method, utf8Bytes(json));
    return request.header("content-type", "application/json");
  }

  /**
   * Sets a header, in place of an earlier value, and returns the request, so that calls chain.
   *
   * ```ts
   * req.header("accept", "text/html").header("accept-language", "de");
   * ```
   */
  header(name: string, value: string): FetchRequest {
    this.headers.set(name, value);
    return this;
  }
}
