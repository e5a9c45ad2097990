// The noun of a secret: what a function is given and nobody is shown. No I/O.

import { HostError } from "./errors.ts";
import { limits } from "./limits.ts";

/** What is shown of one. */
export type ListedSecret = {
  readonly name: string;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
};

export const secretNamePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Returns `text` when it is the name of a secret, else throws `invalid_name`. */
export function secretName(text: string): string {
  if (secretNamePattern.test(text)) return text;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new HostError(
    "invalid_name",
    `Cannot use ${shown} as the name of a secret: want 1 to 128 letters, digits and _, not starting with a digit`,
  );
}

/** The value in a body; throws `bad_request` or `secret_too_large`, and says nothing of what it holds. */
export function secretValue(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) throw new HostError("bad_request", "The secret is empty");
  if (bytes.byteLength > limits.secretBytesMax) {
    throw new HostError(
      "secret_too_large",
      `The secret has ${bytes.byteLength} bytes, limit is ${limits.secretBytesMax}`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new HostError("bad_request", "The secret is not text in UTF-8; keep bytes in base64");
  }
}
