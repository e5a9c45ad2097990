// The request a function answers. It keeps the host's message (docs/abi.md) as it came and decodes
// a part when that part is asked for: a function that reads only the path pays only for the path.

import { cookieValue } from "./cookie";
import { FormPairs } from "./form-text";
import { lowerAscii, sameName } from "./header-name";
import { Headers } from "./headers";
import { decodeUtf8 } from "./utf8";

// The parts of a request message's head, in their order.
const METHOD = 0;
const URL = 1;
const PATH = 2;
const QUERY = 3;
const REMOTE_ADDRESS = 4;
const HEADERS = 5;

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
    return this.headText(METHOD);
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
    return this.headText(PATH);
  }

  /**
   * The whole URL as the client addressed it.
   *
   * ```ts
   * req.url; // "http://127.0.0.1:4747/fn/shop/items/7?full=1"
   * ```
   */
  get url(): string {
    return this.headText(URL);
  }

  /**
   * The address of the peer that connected. Behind a proxy this is the proxy's.
   *
   * ```ts
   * log.info("called by " + req.remoteAddress);
   * ```
   */
  get remoteAddress(): string {
    return this.headText(REMOTE_ADDRESS);
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
    let at = this.headAt(HEADERS);
    let left = readI32(this.message, at);
    for (at += 4; left > 0; left--) {
      const valueAt = textEnd(this.message, at);
      if (this.nameAtIs(at, name)) {
        const value = this.textAt(valueAt);
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
    let at = this.headAt(HEADERS);
    let left = readI32(this.message, at);
    for (at += 4; left > 0; left--) {
      const valueAt = textEnd(this.message, at);
      headers.add(this.textAt(at), this.textAt(valueAt));
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
    const start = this.bodyStart;
    return Uint8Array.wrap(this.message, start, this.message.byteLength - start);
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
    let start = changetype<usize>(this.message) + <usize>this.bodyStart;
    let length = this.message.byteLength - this.bodyStart;
    if (length >= 3 && load<u8>(start) === 0xef && load<u16>(start, 1) === 0xbfbb) {
      start += 3;
      length -= 3;
    }
    return decodeUtf8(start, length);
  }

  private get bodyStart(): i32 {
    return 4 + readI32(this.message, 0);
  }

  /** The offset of a part of the head: each text before it is skipped by its length. */
  private headAt(part: i32): i32 {
    let at = 4;
    for (; part > 0; part--) at = textEnd(this.message, at);
    return at;
  }

  private headText(part: i32): string {
    return this.textAt(this.headAt(part));
  }

  private textAt(at: i32): string {
    return decodeUtf8(changetype<usize>(this.message) + <usize>at + 4, readI32(this.message, at));
  }

  private queryPairs(): FormPairs {
    const at = this.headAt(QUERY);
    const start = changetype<usize>(this.message) + <usize>at + 4;
    return new FormPairs(start, start + <usize>readI32(this.message, at));
  }

  /** Whether the header name at `at`, which is lower case ASCII, is `name`. */
  private nameAtIs(at: i32, name: string): bool {
    const length = readI32(this.message, at);
    if (length !== name.length) return false;
    const start = changetype<usize>(this.message) + <usize>at + 4;
    for (let i = 0; i < length; i++) {
      if (<i32>load<u8>(start + <usize>i) !== lowerAscii(name.charCodeAt(i))) return false;
    }
    return true;
  }
}

function readI32(message: ArrayBuffer, at: i32): i32 {
  return load<i32>(changetype<usize>(message) + <usize>at);
}

/** The offset behind the length-prefixed text at `at`. */
function textEnd(message: ArrayBuffer, at: i32): i32 {
  return at + 4 + readI32(message, at);
}
