// Secrets at rest: sealed with AES-256-GCM under the host's secret key, and bound to what they are for, so
// that one cannot be put in the place of another. It knows no store; who keeps a secret keeps what is sealed.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Before what is sealed: the form, for the day on which there is another. */
const form = 1;
const nonceBytes = 12;
const tagBytes = 16;
export const secretKeyBytes = 32;

export type SecretKeySource = {
  /** Null where no key has been made yet. Throws when there is one that cannot be read. */
  readonly read: () => Buffer | null;
  /** The key, made durable before it resolves when there was none. */
  readonly make: () => Promise<Buffer>;
};

export class SecretBox {
  readonly #source: SecretKeySource;

  constructor(source: SecretKeySource) {
    this.#source = source;
  }

  /** `purpose` is not kept: `open` wants the same. */
  async seal(secret: string, purpose: string): Promise<Uint8Array> {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", await this.#source.make(), nonce);
    cipher.setAAD(Buffer.from(purpose));
    const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([Buffer.of(form), nonce, text, cipher.getAuthTag()]);
  }

  /** Throws when it was sealed under another key or for something else, or has changed since. */
  open(sealed: Uint8Array, purpose: string): string {
    const key = this.#source.read();
    if (key === null) throw new Error("the secret key is missing");
    const bytes = Buffer.from(sealed);
    if (bytes[0] !== form || bytes.length < 1 + nonceBytes + tagBytes) throw new Error("it is no secret");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(1, 1 + nonceBytes));
    decipher.setAAD(Buffer.from(purpose));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const text = decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes));
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  }
}

/** A key as 64 hexadecimal digits or in base64, or null. */
export function parseSecretKey(text: string): Buffer | null {
  const trimmed = text.trim();
  if (/^[0-9A-Fa-f]{64}$/.test(trimmed)) return Buffer.from(trimmed, "hex");
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return null;
  const key = Buffer.from(trimmed, "base64");
  return key.byteLength === secretKeyBytes ? key : null;
}
