// The function's secrets.

import { result_read, secret_get } from "./host/mayfly";
import { decodeUtf8, utf8Bytes } from "./utf8";

/**
 * What the function is given and nobody is shown, set with `mayfly secret set`.
 *
 * ```ts
 * const key = secrets.get("PAYMENT_KEY");
 * if (key === null) return Response.text("not set up yet", 503);
 * ```
 */
export namespace secrets {
  /**
   * The value of a secret, or `null` when it is not set. Not while the module starts: ask where it is needed.
   *
   * ```ts
   * const password = secrets.get("SMTP_PASSWORD");
   * ```
   */
  export function get(name: string): string | null {
    const key = utf8Bytes(name);
    const length = secret_get(key.dataStart, <usize>key.length);
    if (length < 0) return null;
    const value = new ArrayBuffer(length);
    result_read(changetype<usize>(value));
    return decodeUtf8(changetype<usize>(value), length);
  }
}
