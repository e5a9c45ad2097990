// The response a function gives.

import { sameName } from "./header-name";
import { Headers } from "./headers";
import { response_write } from "./host/mayfly";
import { responseMessage } from "./response-message";
import { EventStream, ResponseStream } from "./response-stream";
import { encodeUtf8, utf8Bytes, utf8Length } from "./utf8";

/**
 * One HTTP response. The short forms cover most: `Response.text`, `.json`, `.bytes`, `.redirect`.
 *
 * ```ts
 * return new Response(204).header("x-reason", "nothing to say");
 * ```
 */
export class Response {
  /**
   * The status code, 200 to 599.
   *
   * ```ts
   * const res = Response.text("made");
   * res.status = 201;
   * ```
   */
  status: i32;

  /**
   * The header fields. `res.header(name, value)` is the short way to set one.
   *
   * ```ts
   * res.headers.append("vary", "accept");
   * ```
   */
  readonly headers: Headers = new Headers();

  // A text stays a string until it is written straight into the message.
  private textBody: string = "";
  private bytesBody: Uint8Array | null;
  private isSent: bool = false;

  /**
   * A response with a body of bytes, or none. No content type is set.
   *
   * ```ts
   * const res = new Response(200, pixels).header("content-type", "image/png");
   * ```
   */
  constructor(status: i32, body: Uint8Array | null = null) {
    this.status = status;
    this.bytesBody = body;
  }

  /**
   * A text response: UTF-8, `text/plain; charset=utf-8`.
   *
   * ```ts
   * return Response.text("No such item", 404);
   * ```
   */
  static text(text: string, status: i32 = 200): Response {
    return Response.ofText(text, "text/plain; charset=utf-8", status);
  }

  /**
   * A JSON response, `application/json`. The text is sent as it is: build it with `JsonObject`,
   * `JsonArray` or any other way.
   *
   * ```ts
   * return Response.json(new JsonObject().set("ok", true).toString(), 201);
   * ```
   */
  static json(json: string, status: i32 = 200): Response {
    return Response.ofText(json, "application/json", status);
  }

  /**
   * A response of bytes with a content type of your choice.
   *
   * ```ts
   * return Response.bytes(png, "image/png");
   * ```
   */
  static bytes(bytes: Uint8Array, contentType: string, status: i32 = 200): Response {
    const response = new Response(status, bytes);
    response.headers.set("content-type", contentType);
    return response;
  }

  /**
   * Sends the client to another URL with 301, 302, 303, 307 or 308. Characters that no URL may
   * hold are percent-encoded; escapes already there are kept.
   *
   * ```ts
   * return Response.redirect("https://example.com/new", 308);
   * ```
   */
  static redirect(url: string, status: i32 = 302): Response {
    if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) {
      throw new RangeError("Cannot redirect with " + status.toString() + ", want 301, 302, 303, 307 or 308");
    }
    const response = new Response(status);
    response.headers.add("location", escapeUrl(url));
    return response;
  }

  /**
   * A response that is sent while it is written; `end()` gives what `handle` returns.
   *
   * ```ts
   * const out = Response.stream(200, "text/plain; charset=utf-8");
   * out.writeText("first\n");
   * sleep(1000);
   * out.writeText("second\n");
   * return out.end();
   * ```
   */
  static stream(status: i32 = 200, contentType: string = "application/octet-stream"): ResponseStream {
    return new ResponseStream(status, contentType);
  }

  /**
   * A stream of server-sent events, which a browser reads with `EventSource`.
   *
   * ```ts
   * const out = Response.events();
   * out.send("hello");
   * return out.end();
   * ```
   */
  static events(): EventStream {
    return new EventStream();
  }

  /** For the SDK: what a stream returns when it has ended, and nothing is left to send. */
  static alreadySent(status: i32): Response {
    const response = new Response(status);
    response.isSent = true;
    return response;
  }

  /**
   * Sets a header and returns the response, so that calls chain. An earlier value is replaced, but
   * for `set-cookie`, of which there may be several.
   *
   * ```ts
   * return Response.text("<h1>Hi</h1>")
   *   .header("content-type", "text/html; charset=utf-8")
   *   .header("set-cookie", "a=1")
   *   .header("set-cookie", "b=2");
   * ```
   */
  header(name: string, value: string): Response {
    if (sameName(name, "set-cookie")) this.headers.append(name, value);
    else this.headers.set(name, value);
    return this;
  }

  /**
   * The body as bytes.
   *
   * ```ts
   * const size = res.body.length;
   * ```
   */
  get body(): Uint8Array {
    const bytes = this.bytesBody;
    return bytes === null ? utf8Bytes(this.textBody) : bytes;
  }

  /** Hands the response to the host; the SDK does this with what `handle` returns. */
  send(): void {
    if (this.isSent) return;
    const bytes = this.bytesBody;
    const bodyLength = bytes === null ? utf8Length(this.textBody) : bytes.length;
    const message = responseMessage(this.status, this.headers, bodyLength);
    const start = changetype<usize>(message);
    const at = start + 4 + <usize>load<i32>(start);
    if (bytes === null) encodeUtf8(this.textBody, at);
    else memory.copy(at, bytes.dataStart, <usize>bodyLength);
    response_write(start, <usize>message.byteLength);
  }

  private static ofText(text: string, contentType: string, status: i32): Response {
    const response = new Response(status);
    response.textBody = text;
    response.headers.add("content-type", contentType);
    return response;
  }
}

/** Escapes what RFC 3986 allows nowhere in a URL: controls, space, quotes, brackets, non-ASCII. */
function escapeUrl(url: string): string {
  const bytes = utf8Bytes(url);
  let escaped = "";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    const allowed = byte > 0x20 && byte < 0x7f && !'"<>\\^`{|}'.includes(String.fromCharCode(byte));
    if (allowed) escaped += String.fromCharCode(byte);
    else escaped += "%" + hex(byte >> 4) + hex(byte & 15);
  }
  return escaped;
}

function hex(digit: u8): string {
  return String.fromCharCode(digit < 10 ? 0x30 + digit : 0x37 + digit);
}
