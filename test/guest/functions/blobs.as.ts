// Buckets by the SDK, one way for each path, for test/guest/blobs.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { BlobInfo, blobs, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const bucket = blobs.open("files");
  const key = req.header("x-key") || "";
  if (req.path === "/get") {
    const blob = bucket.get(key);
    return blob === null ? Response.text("none", 404) : Response.bytes(blob.body, blob.contentType);
  }
  if (req.path === "/range") {
    const start = I64.parseInt(req.header("x-start") || "0");
    const blob = bucket.getRange(key, start, I32.parseInt(req.header("x-length") || "0"));
    return blob === null
      ? Response.text("none", 404)
      : Response.text(blob.size.toString() + " " + blob.text());
  }
  if (req.path === "/put") {
    const metadata = new Map<string, string>();
    metadata.set("by", "the test");
    return Response.text(bucket.put(key, req.body, req.header("x-type") || "image/png", metadata));
  }
  if (req.path === "/put-text") return Response.text(bucket.putText(key, req.text()));
  if (req.path === "/head") return described(bucket.head(key));
  if (req.path === "/delete") return Response.text(bucket.delete(key).toString());
  if (req.path === "/sign") return Response.text(bucket.signedPath(req.header("x-method") || "GET", key, 60));
  const page = bucket.list(key, req.header("x-cursor"));
  let text = "";
  for (let i = 0; i < page.blobs.length; i++) {
    const blob = page.blobs[i];
    text += blob.key + "=" + blob.size.toString() + " ";
  }
  const cursor = page.cursor;
  return Response.text(text + (cursor === null ? "end" : cursor));
}

function described(info: BlobInfo | null): Response {
  if (info === null) return Response.text("none", 404);
  const by = info.metadata.has("by") ? info.metadata.get("by") : "nobody";
  return Response.text([info.key, info.size.toString(), info.digest, info.contentType, by].join("|"));
}
