// Blob buckets and links in the OpenAPI document. A key may hold slashes, which OpenAPI has no way to say.

import { z } from "zod";
import { limits } from "../limits.ts";
import { linkSchema } from "../services/blob-links.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const path = (name: string, schema: object) => ({ name, in: "path", required: true, schema });
const query = (name: string, schema: object) => ({ name, in: "query", required: false, schema });
const header = (name: string) => ({ name, in: "header", required: false, schema: { type: "string" } });

const label = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const bucketParameter = path("bucket", { type: "string", pattern: label });
const keyParameter = path("key", { type: "string", minLength: 1, maxLength: limits.kvKeyBytesMax });

const text = { type: "string" };
const bytes = { type: "integer", minimum: 0 };
const digest = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
const binary = { "*/*": { schema: { type: "string", format: "binary" } } };
const object = (properties: Record<string, object>) => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});

const put = object({ bucket: text, key: text, digest, bytes });
const listed = object({
  key: text,
  bytes,
  digest,
  contentType: text,
  metadata: { type: "object", additionalProperties: text },
  changedAt: { type: "string", format: "date-time" },
});
const page = object({ blobs: { type: "array", items: listed }, cursor: { type: ["string", "null"] } });
const { $schema: _, ...link } = z.toJSONSchema(linkSchema, { io: "input" });
const signed = object({
  method: text,
  url: text,
  path: text,
  expiresAt: { type: "string", format: "date-time" },
});

const address = ["invalid_name", "invalid_key", "link_refused"] as const;
const change = ["bad_request", "precondition_failed", "queue_full", "overloaded", "storage_full"] as const;
const upload = [...change, "request_timeout", "blob_too_large"] as const;
const conditions = [header("if-match"), header("if-none-match")];

const read = {
  ...operation(
    "getBlob",
    "The bytes of a blob; HEAD without them",
    {
      200: { description: "The whole", content: binary },
      206: { description: "The range that Range asks for", content: binary },
      304: { description: "It has the ETag that If-None-Match names" },
    },
    [...address, "blob_not_found", "precondition_failed", "range_not_satisfiable"],
  ),
  parameters: [
    ...["range", "if-range", "if-modified-since", "if-unmodified-since"].map(header),
    ...conditions,
  ],
};

export const blobPaths = {
  "/v1/blobs": {
    get: operation(
      "listBuckets",
      "Buckets that have blobs",
      ok("By name", list("buckets", object({ bucket: text, blobs: bytes, bytes }))),
      [],
    ),
  },
  "/v1/blobs/{bucket}": {
    parameters: [bucketParameter],
    get: {
      ...operation("listBlobs", "Blobs in the order of their keys' bytes", ok("A page", page), [
        "invalid_name",
        "invalid_key",
        "bad_request",
      ]),
      parameters: [
        query("prefix", text),
        query("cursor", text),
        query("limit", { type: "integer", minimum: 1, maximum: limits.blobListMax }),
      ],
    },
  },
  "/v1/blobs/{bucket}/{key}": {
    parameters: [bucketParameter, keyParameter],
    get: read,
    put: {
      ...operation(
        "putBlob",
        "Store the body as a blob",
        {
          200: { description: "It was there", content: json(put) },
          201: { description: "It is new", content: json(put) },
        },
        [...address, ...upload],
        { required: true, content: binary },
      ),
      parameters: conditions,
    },
    post: operation(
      "postBlobs",
      "Store the files of a form: one under the key, or each under its name behind a key that ends with a slash",
      { 201: { description: "All are stored", content: json(list("blobs", put)) } },
      [...address, ...upload],
      { required: true, content: { "multipart/form-data": { schema: { type: "object" } } } },
    ),
    delete: {
      ...operation("deleteBlob", "Delete a blob", { 204: { description: "Deleted" } }, [
        ...address,
        ...change,
        "blob_not_found",
      ]),
      parameters: conditions,
    },
  },
  "/v1/links": {
    post: operation(
      "signUrl",
      "A URL that lets whoever has it read or write one blob until it expires",
      { 201: { description: "Signed", content: json(signed) } },
      ["bad_request", "invalid_name", "invalid_key", "overloaded"],
      { required: true, content: json(link) },
    ),
  },
};
