// A response that is sent while it is written, and the one of server-sent events.

import { sameName } from "./header-name";
import { Headers } from "./headers";
import { response_begin, response_end, response_push } from "./host/mayfly";
import { Response } from "./response";
import { responseMessage } from "./response-message";
import { utf8Bytes } from "./utf8";

/**
 * A response whose body is sent as it is written: the first bytes leave before the last ones are made, and
 * it may be larger than the function's memory. `Response.stream` makes one. A client that is slow makes
 * `write` wait, and one that goes away ends the call there.
 *
 * ```ts
 * const out = Response.stream(200, "text/csv");
 * for (let row = 0; row < 1000000; row++) out.writeText(row.toString() + "\n");
 * return out.end();
 * ```
 */
export class ResponseStream {
  /** The status code, 200 to 599. Example: `if (out.status == 200) out.writeText("done");` */
  readonly status: i32;

  /** The header fields; they are sent with the first bytes. Example: `out.headers.set("etag", tag);` */
  readonly headers: Headers = new Headers();

  private begun: bool = false;
  private ended: bool = false;

  /** For the SDK: use `Response.stream`. */
  constructor(status: i32, contentType: string) {
    this.status = status;
    this.headers.set("content-type", contentType);
  }

  /**
   * Sets a header and returns the stream, so that calls chain; `set-cookie` is added. Throws once bytes
   * have been written: the head is sent with the first ones.
   *
   * ```ts
   * const out = Response.stream(200, "text/csv").header("cache-control", "no-store");
   * ```
   */
  header(name: string, value: string): ResponseStream {
    if (this.begun)
      throw new Error("Cannot set a header: the response has begun, set it before the first write");
    if (sameName(name, "set-cookie")) this.headers.append(name, value);
    else this.headers.set(name, value);
    return this;
  }

  /**
   * Sends bytes. Returns when the host has them, which is at once unless the client is behind.
   *
   * ```ts
   * out.write(chunk);
   * ```
   */
  write(bytes: Uint8Array): void {
    this.begin();
    if (bytes.length > 0) response_push(bytes.dataStart, <usize>bytes.length);
  }

  /**
   * Sends text, as UTF-8.
   *
   * ```ts
   * out.writeText("one line\n");
   * ```
   */
  writeText(text: string): void {
    this.write(utf8Bytes(text));
  }

  /**
   * Ends the response: what `handle` returns.
   *
   * ```ts
   * return out.end();
   * ```
   */
  end(): Response {
    this.begin();
    this.ended = true;
    response_end();
    return Response.alreadySent(this.status);
  }

  private begin(): void {
    if (this.ended) throw new Error("Cannot write: the response has ended");
    if (this.begun) return;
    this.begun = true;
    const head = responseMessage(this.status, this.headers, 0);
    response_begin(changetype<usize>(head), <usize>head.byteLength);
  }
}

/**
 * A stream of server-sent events, as the HTML standard has them and a browser's `EventSource` reads them.
 * `Response.events` makes one.
 *
 * ```ts
 * const out = Response.events();
 * for (let n = 1; n <= 10; n++) {
 *   out.send(n.toString(), "tick", n.toString());
 *   sleep(1000);
 * }
 * return out.end();
 * ```
 */
export class EventStream {
  private stream: ResponseStream;

  /** For the SDK: use `Response.events`. */
  constructor() {
    // A proxy that gathers what it passes on would hold events back.
    this.stream = new ResponseStream(200, "text/event-stream")
      .header("cache-control", "no-cache")
      .header("x-accel-buffering", "no");
  }

  /** As `ResponseStream.header`. Example: `const out = Response.events().header("access-control-allow-origin", "*");` */
  header(name: string, value: string): EventStream {
    this.stream.header(name, value);
    return this;
  }

  /**
   * Sends one event. `data` may have several lines. `event` is its type, "message" when empty; `id` is what
   * a client that comes back sends as `Last-Event-ID`; `retryMs` tells the client how long to wait before it
   * comes back. Throws when `event` or `id` has more than one line.
   *
   * ```ts
   * out.send('{"price":12}', "price", "17");
   * ```
   */
  send(data: string, event: string = "", id: string = "", retryMs: i32 = -1): void {
    let text = "";
    if (event.length > 0) text += "event: " + oneLine(event, "event") + "\n";
    if (id.length > 0) text += "id: " + oneLine(id, "id") + "\n";
    if (retryMs >= 0) text += "retry: " + retryMs.toString() + "\n";
    this.stream.writeText(text + lines(data, "data: ") + "\n");
  }

  /**
   * Sends a comment, which clients pass over: now and then one keeps a quiet connection open.
   *
   * ```ts
   * out.comment("still here");
   * ```
   */
  comment(text: string = ""): void {
    this.stream.writeText(lines(text, ": ") + "\n");
  }

  /**
   * Ends the response: what `handle` returns. A browser comes back, unless told not to with status 204.
   *
   * ```ts
   * return out.end();
   * ```
   */
  end(): Response {
    return this.stream.end();
  }
}

function oneLine(text: string, what: string): string {
  if (text.includes("\n") || text.includes("\r") || text.includes("\0")) {
    throw new RangeError("Cannot send: " + what + " has more than one line, or a NUL");
  }
  return text;
}

/** Each line of a text with a prefix; lines end with LF, CR, or both. */
function lines(text: string, prefix: string): string {
  const plain = text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  return prefix + plain.replaceAll("\n", "\n" + prefix) + "\n";
}
