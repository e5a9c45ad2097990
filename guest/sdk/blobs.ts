// Blob buckets of the host.

import { HostAnswer, question } from "./question";
import { decodeUtf8, utf8Bytes } from "./utf8";

/**
 * Buckets in which functions keep files. What is put is on disk when `put` returns.
 *
 * ```ts
 * const photo = blobs.open("photos").get("cat.jpg");
 * ```
 */
export namespace blobs {
  /**
   * The bucket of a name, 1 to 63 of `a-z`, `0-9` and inner hyphens. It need not be made before.
   *
   * ```ts
   * const photos = blobs.open("photos");
   * ```
   */
  export function open(bucket: string): Bucket {
    return new Bucket(bucket);
  }
}

/**
 * A bucket; `blobs.open` gives one. Keys are texts of up to 1,024 bytes. A function reads and writes up to
 * 6 MiB at once; larger blobs it reads in ranges. What cannot be done throws, and so ends the call unless
 * it is caught.
 *
 * ```ts
 * const reports: Bucket = blobs.open("reports");
 * ```
 */
export class Bucket {
  private bucket: string;

  /** Made by the SDK; `blobs.open` gives one. */
  constructor(bucket: string) {
    this.bucket = bucket;
  }

  /**
   * A blob with its bytes, or `null` when there is none of that key.
   *
   * ```ts
   * const photo = blobs.open("photos").get("cat.jpg");
   * if (photo === null) return Response.text("no such photo", 404);
   * return Response.bytes(photo.body, photo.contentType);
   * ```
   */
  get(key: string): Blob | null {
    const answer = question("blobs.get", [this.bucket, key]);
    return answer.values.length === 0 ? null : new Blob(key, answer);
  }

  /**
   * As `get`, with `length` bytes from the byte `start` on, fewer at the end; `size` is that of the whole.
   *
   * ```ts
   * const head = blobs.open("films").getRange("film.mp4", 0, 65536);
   * ```
   */
  getRange(key: string, start: i64, length: i32): Blob | null {
    const answer = question("blobs.get", [this.bucket, key, start.toString(), length.toString()]);
    return answer.values.length === 0 ? null : new Blob(key, answer);
  }

  /**
   * What is known of a blob without its bytes, or `null` when there is none of that key.
   *
   * ```ts
   * const info = blobs.open("photos").head("cat.jpg");
   * ```
   */
  head(key: string): BlobInfo | null {
    const answer = question("blobs.head", [this.bucket, key]);
    return answer.values.length === 0 ? null : new BlobInfo(key, answer.values);
  }

  /**
   * Stores bytes under a key, in place of what was there; gives their SHA-256 in hexadecimal digits.
   *
   * ```ts
   * const tags = new Map<string, string>();
   * tags.set("taken-by", "Ada");
   * blobs.open("photos").put("cat.jpg", req.body, "image/jpeg", tags);
   * ```
   */
  put(
    key: string,
    body: Uint8Array,
    contentType: string = "application/octet-stream",
    metadata: Map<string, string> | null = null,
  ): string {
    const args = [this.bucket, key, contentType];
    if (metadata !== null) {
      const names = metadata.keys();
      for (let i = 0; i < names.length; i++) {
        args.push(names[i]);
        args.push(metadata.get(names[i]));
      }
    }
    return question("blobs.put", args, body).values[0];
  }

  /**
   * As `put`, with a text in UTF-8.
   *
   * ```ts
   * blobs.open("reports").putText("2026-11.csv", csv, "text/csv; charset=utf-8");
   * ```
   */
  putText(key: string, body: string, contentType: string = "text/plain; charset=utf-8"): string {
    return this.put(key, utf8Bytes(body), contentType);
  }

  /**
   * Deletes a blob; whether it was there.
   *
   * ```ts
   * const wasThere = blobs.open("photos").delete("cat.jpg");
   * ```
   */
  delete(key: string): bool {
    return question("blobs.delete", [this.bucket, key]).values[0] === "true";
  }

  /**
   * Blobs whose keys have a prefix, in the order of their bytes, at most 1,000 at a time; the page's
   * cursor leads to the next ones. Metadata is not listed; `head` gives it.
   *
   * ```ts
   * const page = blobs.open("photos").list("2026/");
   * for (let i = 0; i < page.blobs.length; i++) log.info(page.blobs[i].key);
   * ```
   */
  list(prefix: string = "", cursor: string | null = null): BlobPage {
    const after = cursor === null ? "" : cursor;
    const values = question("blobs.list", [this.bucket, prefix, after]).values;
    const found: BlobInfo[] = [];
    for (let i = 1; i < values.length; i += 5)
      found.push(new BlobInfo(values[i], values.slice(i + 1, i + 5)));
    return new BlobPage(found, values[0].length === 0 ? null : values[0]);
  }

  /**
   * A path with a query that lets whoever has it do one thing to one blob for some seconds, without a token:
   * "GET" reads, "PUT" writes the body, "POST" takes a form with a file. It is for the host's own address.
   *
   * ```ts
   * const path = blobs.open("photos").signedPath("PUT", "upload.jpg", 900);
   * ```
   */
  signedPath(method: string, key: string, seconds: i32): string {
    return question("blobs.sign", [method, this.bucket, key, seconds.toString()]).values[0];
  }
}

/**
 * What is known of a blob.
 *
 * ```ts
 * const info: BlobInfo | null = blobs.open("photos").head("cat.jpg");
 * ```
 */
export class BlobInfo {
  /**
   * Its key in the bucket.
   *
   * ```ts
   * const key = blobs.open("photos").list().blobs[0].key;
   * ```
   */
  readonly key: string;

  /**
   * Bytes of the whole.
   *
   * ```ts
   * if (info.size > 1_000_000) log.warn("a large one");
   * ```
   */
  readonly size: i64;

  /**
   * SHA-256 of the whole, in hexadecimal digits.
   *
   * ```ts
   * const isSame = info.digest === other.digest;
   * ```
   */
  readonly digest: string;

  /**
   * As it was given when the blob was put.
   *
   * ```ts
   * const isImage = info.contentType.startsWith("image/");
   * ```
   */
  readonly contentType: string;

  /**
   * When it was put, in milliseconds since 1970.
   *
   * ```ts
   * const ageMs = now() - info.changedAt;
   * ```
   */
  readonly changedAt: i64;

  /**
   * The user's own names and values.
   *
   * ```ts
   * if (info.metadata.has("taken-by")) log.info(info.metadata.get("taken-by"));
   * ```
   */
  readonly metadata: Map<string, string>;

  /** Made by the SDK; `head` and `list` give one. */
  constructor(key: string, values: string[]) {
    this.key = key;
    this.size = I64.parseInt(values[0]);
    this.digest = values[1];
    this.contentType = values[2];
    this.changedAt = I64.parseInt(values[3]);
    const metadata = new Map<string, string>();
    for (let i = 4; i < values.length; i += 2) metadata.set(values[i], values[i + 1]);
    this.metadata = metadata;
  }
}

/**
 * A blob with its bytes, or some of them.
 *
 * ```ts
 * const photo: Blob | null = blobs.open("photos").get("cat.jpg");
 * ```
 */
export class Blob extends BlobInfo {
  /**
   * The bytes that were asked for.
   *
   * ```ts
   * return Response.bytes(photo.body, photo.contentType);
   * ```
   */
  readonly body: Uint8Array;

  /** Made by the SDK; `get` gives one. */
  constructor(key: string, answer: HostAnswer) {
    super(key, answer.values);
    this.body = answer.body;
  }

  /**
   * The bytes as a text.
   *
   * ```ts
   * const lines = report.text().split("\n");
   * ```
   */
  text(): string {
    return decodeUtf8(this.body.dataStart, this.body.length);
  }
}

/**
 * Some blobs of a bucket.
 *
 * ```ts
 * const page: BlobPage = blobs.open("photos").list();
 * ```
 */
export class BlobPage {
  /**
   * The blobs, in the order of their keys.
   *
   * ```ts
   * const count = page.blobs.length;
   * ```
   */
  readonly blobs: BlobInfo[];

  /**
   * For the next page; `null` at the end.
   *
   * ```ts
   * const isLast = page.cursor === null;
   * ```
   */
  readonly cursor: string | null;

  /** Made by the SDK; `list` gives one. */
  constructor(blobs: BlobInfo[], cursor: string | null) {
    this.blobs = blobs;
    this.cursor = cursor;
  }
}
