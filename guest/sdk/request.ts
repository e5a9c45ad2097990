// The request a function answers. Its parts are decoded when they are asked for: a function that
// reads only the path pays only for the path.

import { BodyStream } from "./body-stream";
import { cookieValue } from "./cookie";
import { FormPairs } from "./form-text";
import { sameName } from "./header-name";
import { Headers } from "./headers";
import { body_rest, result_read } from "./host/mayfly";
import {
  address,
  bodyAt,
  HEADERS,
  METHOD,
  nameIs,
  numberAt,
  PATH,
  partAt,
  partText,
  QUERY,
  REMOTE_ADDRESS,
  textAt,
  textEnd,
  URL,
} from "./request-message";
import { decodeUtf8 } from "./utf8";

/**
 * One HTTP request.
 *
 * ```ts
 * export function handle(req: Request): Response {
 *   if (req.method !== "GET") return Response.text("Only GET", 405).header("allow", "GET");
 *   const name = req.query("name");
 *   return Response.text("Hello, " + (name ? name : "world") + "!");
 * }
 * ```
 */
export class Request {
  private message: ArrayBuffer;
  private decodedHeaders: Headers | null = null;
  private restBody: Uint8Array | null = null;

  /** Made by the SDK from the host's message; a function is given one. */
  constructor(message: ArrayBuffer) {
    this.message = message;
  }

  /**
   * The request method, in upper case as sent: `GET`, `POST` …
   *
   * ```ts
   * if (req.method === "POST") return create(req);
   * ```
   */
  get method(): string {
    return partText(this.message, METHOD);
  }

  /**
   * The path after the function's name, as sent: percent escapes are kept, `/` when empty.
   *
   * ```ts
   * // GET /fn/shop/items/7?full=1
   * req.path; // "/items/7"
   * ```
   */
  get path(): string {
    return partText(this.message, PATH);
  }

  /**
   * The whole URL as the client addressed it.
   *
   * ```ts
   * req.url; // "http://127.0.0.1:4747/fn/shop/items/7?full=1"
   * ```
   */
  get url(): string {
    return partText(this.message, URL);
  }

  /**
   * The address of the peer that connected. Behind a proxy this is the proxy's.
   *
   * ```ts
   * log.info("called by " + req.remoteAddress);
   * ```
   */
  get remoteAddress(): string {
    return partText(this.message, REMOTE_ADDRESS);
  }

  /**
   * The first value of a query parameter, decoded: `+` is a space, `%xx` are bytes of UTF-8. Empty
   * when the parameter has no value, `null` when it is absent.
   *
   * ```ts
   * // GET /fn/hello?name=Zo%C3%AB&shout
   * req.query("name");  // "Zoë"
   * req.query("shout"); // ""
   * req.query("lang");  // null
   * ```
   */
  query(name: string): string | null {
    const pairs = this.queryPairs();
    while (pairs.advance()) {
      if (pairs.key === name) return pairs.value;
    }
    return null;
  }

  /**
   * Every value of a query parameter in order, decoded; empty when it is absent.
   *
   * ```ts
   * // GET /fn/list?tag=red&tag=blue
   * req.queries("tag"); // ["red", "blue"]
   * ```
   */
  queries(name: string): string[] {
    const values: string[] = [];
    const pairs = this.queryPairs();
    while (pairs.advance()) {
      if (pairs.key === name) values.push(pairs.value);
    }
    return values;
  }

  /**
   * What a parameter of the route stands for that the request came by, decoded; `null` when the route has
   * none of that name.
   *
   * ```ts
   * // The route /users/:id, and GET /users/42
   * req.param("id"); // "42"
   * ```
   */
  param(name: string): string | null {
    const sent = this.header("x-mayfly-route-params");
    if (sent === null) return null;
    const bytes = String.UTF8.encode(sent);
    const start = changetype<usize>(bytes);
    const pairs = new FormPairs(start, start + <usize>bytes.byteLength);
    while (pairs.advance()) {
      if (pairs.key === name) return pairs.value;
    }
    return null;
  }

  /**
   * The value of a header, or `null`. Case does not matter; several values are joined with `", "`.
   *
   * ```ts
   * const type = req.header("Content-Type");
   * if (!type || !type.startsWith("application/json")) return Response.text("JSON, please", 415);
   * ```
   */
  header(name: string): string | null {
    // Straight from the bytes, so that one look-up does not decode every header.
    let joined: string | null = null;
    let at = partAt(this.message, HEADERS);
    let left = numberAt(this.message, at);
    for (at += 4; left > 0; left--) {
      const valueAt = textEnd(this.message, at);
      if (nameIs(this.message, at, name)) {
        const value = textAt(this.message, valueAt);
        joined = joined === null ? value : joined + ", " + value;
      }
      at = textEnd(this.message, valueAt);
    }
    return joined;
  }

  /**
   * Whether the body is declared to be of a media type; case and parameters such as a charset do
   * not matter.
   *
   * ```ts
   * if (!req.isType("application/json")) return Response.text("JSON, please", 415);
   * ```
   */
  isType(mediaType: string): bool {
    const declared = this.header("content-type");
    if (declared === null) return false;
    const end = declared.indexOf(";");
    return sameName((end < 0 ? declared : declared.substring(0, end)).trim(), mediaType);
  }

  /**
   * All headers, names in lower case, in the order received.
   *
   * ```ts
   * const languages = req.headers.getAll("accept-language");
   * ```
   */
  get headers(): Headers {
    const known = this.decodedHeaders;
    if (known !== null) return known;
    const headers = new Headers();
    let at = partAt(this.message, HEADERS);
    let left = numberAt(this.message, at);
    for (at += 4; left > 0; left--) {
      const valueAt = textEnd(this.message, at);
      headers.add(textAt(this.message, at), textAt(this.message, valueAt));
      at = textEnd(this.message, valueAt);
    }
    this.decodedHeaders = headers;
    return headers;
  }

  /**
   * The value of a cookie as sent, without surrounding quotes, or `null`.
   *
   * ```ts
   * const session = req.cookie("session");
   * if (!session) return Response.redirect("/login");
   * ```
   */
  cookie(name: string): string | null {
    const values = this.headers.getAll("cookie");
    for (let i = 0; i < values.length; i++) {
      const value = cookieValue(values[i], name);
      if (value !== null) return value;
    }
    return null;
  }

  /**
   * The body as bytes; empty when there is none. It is a view of the request, not a copy.
   *
   * ```ts
   * return Response.bytes(req.body, "application/octet-stream");
   * ```
   */
  get body(): Uint8Array {
    const start = bodyAt(this.message);
    if (start === this.message.byteLength) return this.rest();
    return Uint8Array.wrap(this.message, start, this.message.byteLength - start);
  }

  /**
   * The body as it comes, for bodies that are large or slow: a function that uses this anywhere begins when
   * the head of a request is there. `body` and `text()` still give all of it, or what has not been read.
   *
   * ```ts
   * const body = req.stream();
   * for (let chunk = body.read(); chunk !== null; chunk = body.read()) total += chunk.length;
   * ```
   */
  stream(): BodyStream {
    return new BodyStream();
  }

  /**
   * The body as text. It is read as UTF-8: bytes that are not become U+FFFD, a byte order mark is
   * dropped.
   *
   * ```ts
   * return Response.text(req.text().toUpperCase());
   * ```
   */
  text(): string {
    const bytes = this.body;
    let start = bytes.dataStart;
    let length = bytes.length;
    if (length >= 3 && load<u8>(start) === 0xef && load<u16>(start, 1) === 0xbfbb) {
      start += 3;
      length -= 3;
    }
    return decodeUtf8(start, length);
  }

  /** The body of a request whose message is without: it is read as it comes, or there is none. */
  private rest(): Uint8Array {
    const known = this.restBody;
    if (known !== null) return known;
    const bytes = new Uint8Array(body_rest());
    if (bytes.length > 0) result_read(bytes.dataStart);
    this.restBody = bytes;
    return bytes;
  }

  private queryPairs(): FormPairs {
    const at = partAt(this.message, QUERY);
    return new FormPairs(address(this.message, at + 4), address(this.message, textEnd(this.message, at)));
  }
}
