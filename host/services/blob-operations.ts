// What guests may ask of blob buckets (docs/abi.md). Bytes go through a guest's memory whole, so what is
// larger than a message goes in ranges, or by a signed URL past the function.

import type { FileHandle } from "node:fs/promises";
import { HostError } from "../errors.ts";
import type { ErrandContext } from "../invocation.ts";
import { bucketName } from "../key.ts";
import { limits } from "../limits.ts";
import { namespaceOf } from "../namespace.ts";
import type { Blob } from "../store/blob-store.ts";
import type { BlobLinks } from "./blob-links.ts";
import type { BlobService } from "./blob-service.ts";
import type { Operation } from "./services.ts";

export function blobOperations(blobs: BlobService, links: BlobLinks): Readonly<Record<string, Operation>> {
  return {
    "blobs.get": async ({ args: [bucket = "", key = "", from = "0", count = ""] }, { deployment }) => {
      const found = await unlessAbsent(() => blobs.open(bucketOf(deployment, bucket), key));
      if (found === null) return { values: [] };
      await using file = found.file;
      const { blob } = found;
      const start = wholeNumber(from);
      const length = Math.min(
        count === "" ? blob.bytes : wholeNumber(count),
        Math.max(0, blob.bytes - start),
      );
      if (length > limits.requestBodyBytesMax) {
        throw new HostError(
          "blob_too_large",
          `${length} bytes are too many for one answer, which has room for ${limits.requestBodyBytesMax}: read it in ranges`,
        );
      }
      return { values: valuesOf(blob), body: await readRange(file, start, length) };
    },
    "blobs.head": async ({ args: [bucket = "", key = ""] }, { deployment }) => {
      const blob = await unlessAbsent(() => blobs.get(bucketOf(deployment, bucket), key));
      return { values: blob === null ? [] : valuesOf(blob) };
    },
    "blobs.put": async (
      { args: [bucket = "", key = "", contentType = "", ...pairs], body },
      { deployment, depth },
    ) => {
      const metadata: Record<string, string> = {};
      for (let index = 0; index < pairs.length; index += 2) {
        metadata[pairs[index] ?? ""] = pairs[index + 1] ?? "";
      }
      const name = bucketOf(deployment, bucket);
      const received = await blobs.receive(one(body));
      await blobs.put(name, [{ key, contentType, metadata, received }], "any", depth);
      return { values: [received.digest] };
    },
    "blobs.delete": async ({ args: [bucket = "", key = ""] }, { deployment, depth }) => ({
      values: [String(await blobs.delete(bucketOf(deployment, bucket), key, "any", depth))],
    }),
    "blobs.list": ({ args: [bucket = "", prefix = "", cursor = ""] }, { deployment }) => {
      const page = blobs.list(bucketOf(deployment, bucket), prefix, cursor);
      const rows = page.blobs.flatMap(({ key, bytes, digest, contentType, changedAtMs }) => {
        return [key, String(bytes), digest, contentType, String(changedAtMs)];
      });
      return { values: [page.cursor ?? "", ...rows] };
    },
    "blobs.sign": ({ args: [method = "", bucket = "", key = "", seconds = ""] }, { deployment }) => ({
      values: [
        links.sign({ method, bucket, key, expiresInS: Number(seconds) }, namespaceOf(deployment.name)).path,
      ],
    }),
  };
}

/** A bucket of the namespace that a function is in. */
function bucketOf({ name }: ErrandContext["deployment"], bucket: string): string {
  return bucketName(bucket, namespaceOf(name));
}

async function unlessAbsent<value>(find: () => value | Promise<value>): Promise<value | null> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof HostError && error.code === "blob_not_found") return null;
    throw error;
  }
}

function valuesOf({ bytes, digest, contentType, changedAtMs, metadata }: Blob): string[] {
  return [String(bytes), digest, contentType, String(changedAtMs), ...Object.entries(metadata).flat()];
}

async function readRange(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, start + at);
    if (bytesRead === 0) throw new Error("The bytes of a blob are fewer than its index says");
    at += bytesRead;
  }
  return bytes;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new HostError("bad_request", `${JSON.stringify(text.slice(0, 20))} is no number of bytes`);
}
