// A row of the index of blobs as the noun that it is.

import type { Blob } from "../blob-store.ts";
import type { Row } from "./statement-cache.ts";

export function toBlob(row: Row): Blob {
  return {
    bucket: String(row["bucket"]),
    key: Buffer.from(row["key"] as Uint8Array).toString(),
    digest: String(row["digest"]),
    bytes: Number(row["bytes"]),
    contentType: String(row["content_type"]),
    metadata: JSON.parse(String(row["metadata_json"])),
    changedAtMs: Number(row["changed_at_ms"]),
  };
}
