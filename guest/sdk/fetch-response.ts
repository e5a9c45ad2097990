// The answer to a fetch, from the host's message (docs/abi.md).

import { Headers } from "./headers";
import { address, bodyAt, numberAt, textAt, textEnd } from "./request-message";
import { decodeUtf8 } from "./utf8";

/**
 * The answer to a fetch. Where there was none, `status` is 0 and `error` says why; a body that is
 * read all the same ends the call with that text.
 *
 * ```ts
 * const res = fetch("https://example.com/");
 * if (res.status === 0) return Response.text(res.error, 502);
 * return Response.text(res.text());
 * ```
 */
export class FetchResponse {
  /**
   * The status code, 100 to 599, or 0 where there was no answer.
   *
   * ```ts
   * if (res.status === 404) return Response.text("no such city", 404);
   * ```
   */
  readonly status: i32;

  /**
   * Why there was no answer: a word, a colon and a sentence; empty where there was one. The words are
   * `host_not_allowed`, `invalid_request`, `too_many_redirects`, `too_deep`, `unreachable`, `timeout`,
   * `answer_too_large`, `overloaded` and `internal`.
   *
   * ```ts
   * if (res.error.startsWith("timeout:")) return Response.text("try again", 503);
   * ```
   */
  readonly error: string;

  /**
   * The header fields, names in lower case.
   *
   * ```ts
   * const links = res.headers.getAll("link");
   * ```
   */
  readonly headers: Headers = new Headers();

  private message: ArrayBuffer;

  /** Made by the SDK from the host's message; `fetch` gives one. */
  constructor(message: ArrayBuffer, error: string) {
    this.message = message;
    this.error = error;
    this.status = error.length > 0 ? 0 : numberAt(message, 4);
    const count = error.length > 0 ? 0 : numberAt(message, 8);
    for (let i = 0, at = 12; i < count; i++) {
      const value = textEnd(message, at);
      this.headers.add(textAt(message, at), textAt(message, value));
      at = textEnd(message, value);
    }
  }

  /**
   * Whether there was an answer with a status of 200 to 299.
   *
   * ```ts
   * if (!res.ok) return Response.text("the weather service is down", 502);
   * ```
   */
  get ok(): bool {
    return this.status >= 200 && this.status <= 299;
  }

  /**
   * The value of a header, or `null`; several are joined with `", "`.
   *
   * ```ts
   * const type = res.header("content-type");
   * ```
   */
  header(name: string): string | null {
    return this.headers.get(name);
  }

  /**
   * The body as text in UTF-8.
   *
   * ```ts
   * const weather = JSON.parse(res.text());
   * ```
   */
  text(): string {
    const at = this.start();
    return decodeUtf8(address(this.message, at), this.message.byteLength - at);
  }

  /**
   * The body as bytes.
   *
   * ```ts
   * return Response.bytes(res.body, "image/png");
   * ```
   */
  get body(): Uint8Array {
    return Uint8Array.wrap(this.message, this.start());
  }

  // Nothing that was not answered is taken for an empty body.
  private start(): i32 {
    if (this.error.length > 0) throw new Error("The fetch failed: " + this.error);
    return bodyAt(this.message);
  }
}
