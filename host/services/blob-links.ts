// Signed URLs: whoever has one may do one thing to one blob until it expires, without a token. What it
// allows is in its query; the signature is an HMAC (RFC 2104) over that, the method and the address.

import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { HostError } from "../errors.ts";
import { bucketName, keyText } from "../key.ts";
import { limits } from "../limits.ts";
import { prefixOf } from "../namespace.ts";

export const linkSchema = z.strictObject({
  /** GET reads, PUT writes the body, POST takes a form (`multipart/form-data`). */
  method: z.enum(["GET", "PUT", "POST"]),
  bucket: z.string(),
  /** Of POST also a prefix for the names of files: one that ends with a slash, or "". */
  key: z.string(),
  expiresInS: z.number().min(1).max(limits.linkSecondsMax).default(900),
  /** Of what is written: at most so many bytes. */
  bytesMax: z.int().min(0).max(limits.blobBytesMax).optional(),
  /** Of what is written: this content type, or one of those that begin so when it ends with a slash. */
  contentType: z.string().max(200).optional(),
});

export type LinkBounds = { readonly bytesMax: number; readonly contentType: string | null };

export type SignedLink = {
  /** As it is kept. */
  readonly bucket: string;
  readonly method: string;
  readonly path: string;
  readonly expiresAtMs: number;
};

/** The parts of a link's query that it signs. */
type LinkQuery = {
  readonly expires: string;
  readonly max: string | undefined;
  readonly type: string | undefined;
};

export class BlobLinks {
  readonly #key: () => Buffer;
  readonly #now: () => number;

  /** `key` is asked for when it is first needed. */
  constructor(key: () => Buffer, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  /** The path and query of a link; throws `bad_request`, `invalid_name` or `invalid_key`. */
  sign(value: unknown, namespace: string): SignedLink {
    const parsed = linkSchema.safeParse(value);
    if (!parsed.success) {
      throw new HostError("bad_request", `Cannot sign that: ${z.prettifyError(parsed.error)}`);
    }
    const { method, bucket, key, expiresInS, bytesMax, contentType } = parsed.data;
    const isPrefix = method === "POST" && (key === "" || key.endsWith("/"));
    const address = [bucketName(bucket, namespace), isPrefix && key === "" ? "" : keyText(key)] as const;
    const expires = Math.ceil(this.#now() / 1_000 + expiresInS);
    const query = { expires: String(expires), max: bytesMax?.toString(), type: contentType };
    const search = new URLSearchParams();
    for (const [name, text] of Object.entries(query)) if (text !== undefined) search.set(name, text);
    search.set("signature", this.#signature(method, address, query).toString("base64url"));
    const path = `${prefixOf(namespace)}/blobs/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
    return { bucket: address[0], method, path: `${path}?${search}`, expiresAtMs: expires * 1_000 };
  }

  /** What a signed request for a bucket, as it is kept, may do; throws `link_refused`. */
  verify(method: string, bucket: string, key: string, query: URLSearchParams): LinkBounds {
    const expires = query.get("expires") ?? "";
    const [max, type] = [query.get("max") ?? undefined, query.get("type") ?? undefined];
    const meant = method === "HEAD" ? "GET" : method;
    const sent = Buffer.from(query.get("signature") ?? "", "base64url");
    const right = this.#signature(meant, [bucket, key], { expires, max, type });
    if (sent.byteLength !== right.byteLength || !timingSafeEqual(sent, right)) {
      throw new HostError("link_refused", "The signature is not one of this host for this request");
    }
    if (Number(expires) * 1_000 < this.#now()) {
      throw new HostError(
        "link_refused",
        `The link expired at ${new Date(Number(expires) * 1_000).toISOString()}`,
      );
    }
    return { bytesMax: max === undefined ? limits.blobBytesMax : Number(max), contentType: type ?? null };
  }

  #signature(method: string, address: readonly [string, string], query: LinkQuery): Buffer {
    const { expires, max = null, type = null } = query;
    return createHmac("sha256", this.#key())
      .update(JSON.stringify([method, ...address, expires, max, type]))
      .digest();
  }
}

/** Throws `link_refused` for a content type that a link does not allow. */
export function assertLinked({ contentType }: LinkBounds, sent: string): void {
  if (contentType === null) return;
  const type = sent.toLowerCase();
  const wanted = contentType.toLowerCase();
  if (wanted.endsWith("/") ? type.startsWith(wanted) : type.split(";")[0]?.trim() === wanted) return;
  throw new HostError("link_refused", `The link takes ${contentType}, not ${sent.slice(0, 80)}`);
}
