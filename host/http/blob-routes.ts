// /v1/blobs: buckets over HTTP. A blob is a body of bytes, streamed both ways; its ETag is their SHA-256.

import { type Context, Hono } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import { bucketName, keyInPath, prefixInPath } from "../key.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import { assertLinked, type BlobLinks, type LinkBounds } from "../services/blob-links.ts";
import type { BlobLabels, BlobService } from "../services/blob-service.ts";
import type { Blob } from "../store/blob-store.ts";
import type { ControlEnv } from "./app.ts";
import { conditionOf, isKnown } from "./conditions.ts";
import { fileStream } from "./file-stream.ts";
import { readForm } from "./form-upload.ts";
import { sentDepth } from "./headers.ts";
import { readQuery } from "./query.ts";
import { rangeOf } from "./ranges.ts";
import { accessOf, assertSees, namespaceIn, sees } from "./request-access.ts";
import { bodyChunks, readJson } from "./stream-body.ts";

export type BlobRouteParts = {
  readonly blobs: BlobService;
  readonly links: BlobLinks;
  /** The address under which this host is reached from itself. */
  readonly baseUrl: () => string;
  readonly onFault: (error: unknown, requestId: string) => void;
};

type BlobContext = Context<ControlEnv, "/:bucket/*">;

const listSchema = z.strictObject({
  prefix: z.string().default(""),
  cursor: z.string().default(""),
  limit: z.coerce.number().int().min(1).max(limits.blobListMax).default(100),
});

const metadataPrefix = "x-mayfly-meta-";
const chunksOf = (context: Context<ControlEnv>): AsyncIterable<Uint8Array> =>
  bodyChunks(context.req.raw, { idleTimeoutMs: limits.bodyIdleTimeoutMs }, context.env.incoming);

export function blobRoutes(parts: BlobRouteParts): Hono<ControlEnv> {
  const { blobs } = parts;
  const routes = new Hono<ControlEnv>();

  routes.get("/", (context) => {
    const access = accessOf(context);
    const seen = blobs.buckets().filter(({ bucket }) => sees(access, bucket));
    return context.json({ buckets: seen.map((row) => ({ ...row, bucket: plainName(row.bucket) })) });
  });

  routes.get("/:bucket", (context) => {
    const { prefix, cursor, limit } = readQuery(context, listSchema);
    const page = blobs.list(
      bucketName(context.req.param("bucket"), namespaceIn(context)),
      prefix,
      cursor,
      limit,
    );
    return context.json({ blobs: page.blobs.map(shown), cursor: page.cursor });
  });

  routes.get("/:bucket/*", (context) => sendBlob(parts, context));

  routes.put("/:bucket/*", async (context) => {
    const { bucket, key } = addressOf(context);
    const condition = conditionOf(context, digestOf);
    const labels = labelsOf(context);
    const bounds = boundsOf(context);
    assertLinked(bounds, labels.contentType);
    assertAnnounced(context, bounds.bytesMax);
    const received = await blobs.receive(chunksOf(context), bounds.bytesMax);
    const { created } = await blobs.put(
      bucket,
      [{ key, ...labels, received }],
      condition,
      sentDepth(context),
    );
    const { digest, bytes } = received;
    const body = { bucket: plainName(bucket), key, digest: `sha256:${digest}`, bytes };
    return context.json(body, created ? 201 : 200, { etag: etagOf(digest) });
  });

  routes.post("/:bucket/*", async (context) => takeForm(parts, context));

  routes.delete("/:bucket/*", async (context) => {
    const { bucket, key } = addressOf(context);
    if (!(await blobs.delete(bucket, key, conditionOf(context, digestOf), sentDepth(context)))) {
      throw new HostError("blob_not_found", `No such blob in the bucket "${plainName(bucket)}"`);
    }
    return context.body(null, 204);
  });

  return routes;
}

/** POST /v1/links: makes signed URLs. */
export function linkRoutes({ links, baseUrl }: Pick<BlobRouteParts, "links" | "baseUrl">): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.post("/", async (context) => {
    const { bucket, ...link } = links.sign(
      await readJson(context.req.raw, "bad_request"),
      namespaceIn(context),
    );
    assertSees(accessOf(context), bucket);
    const { method, path, expiresAtMs } = link;
    // Under the name by which whoever asks reached the host.
    const host = context.req.header("host");
    const url = `${host === undefined ? baseUrl() : `http://${host}`}${path}`;
    return context.json({ method, url, path, expiresAt: new Date(expiresAtMs).toISOString() }, 201);
  });
  return routes;
}

async function sendBlob({ blobs, onFault }: BlobRouteParts, context: BlobContext): Promise<Response> {
  const { bucket, key } = addressOf(context);
  const { blob, file } = await blobs.open(bucket, key);
  let isHandedOver = false;
  try {
    const etag = etagOf(blob.digest);
    const headers = headersOf(blob);
    if (isKnown(context, etag, blob.changedAtMs)) return context.body(null, 304, headers);
    const range = isRangeWanted(context, etag) ? rangeOf(context.req.header("range"), blob.bytes) : null;
    if (range === "unsatisfiable") {
      context.header("content-range", `bytes */${blob.bytes}`);
      throw new HostError("range_not_satisfiable", `The blob has ${blob.bytes} bytes`);
    }
    const { start, end } = range ?? { start: 0, end: blob.bytes };
    const sized = { ...headers, "content-length": String(end - start) };
    const status = range === null ? 200 : 206;
    if (range !== null) context.header("content-range", `bytes ${start}-${end - 1}/${blob.bytes}`);
    if (context.req.method === "HEAD") return context.body(null, status, sized);
    isHandedOver = true;
    const { outgoing } = context.env;
    const body = fileStream(file, {
      range: { start, end },
      digest: range === null ? blob.digest : null,
      onFault: (error) => onFault(error, context.get("requestId")),
      ...(outgoing === undefined ? {} : { hasLeft: () => outgoing.writableLength === 0 }),
    });
    return context.body(body, status, sized);
  } finally {
    if (!isHandedOver) await file.close();
  }
}

async function takeForm({ blobs }: BlobRouteParts, context: BlobContext): Promise<Response> {
  const bucket = bucketName(context.req.param("bucket"), namespaceIn(context));
  const prefix = prefixInPath(context.req.path, `/v1/blobs/${plainName(bucket)}/`);
  const bounds = boundsOf(context);
  assertAnnounced(context, limits.blobBytesMax);
  const { files, fields } = await readForm({
    contentType: context.req.header("content-type") ?? "",
    chunks: chunksOf(context),
    receive: (chunks) => blobs.receive(chunks, bounds.bytesMax),
    discard: (received) => blobs.discard(received),
  });
  const metadata = metadataIn([...fields]);
  try {
    if (files.length === 0) throw new HostError("bad_request", "The form has no file");
    for (const { contentType } of files) assertLinked(bounds, contentType);
    const keys = files.map(({ name }) => formKey(prefix, name, files.length));
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) {
      throw new HostError("bad_request", `The form has two files for the key ${JSON.stringify(twice)}`);
    }
    const stored = files.map(({ contentType, received }, index) => {
      return { key: keys[index] ?? "", contentType, metadata, received };
    });
    await blobs.put(bucket, stored, "any", sentDepth(context));
  } catch (error) {
    await blobs.discard(files.map(({ received }) => received));
    throw error;
  }
  const shownFiles = files.map(({ name, received: { digest, bytes } }) => {
    return {
      bucket: plainName(bucket),
      key: formKey(prefix, name, files.length),
      digest: `sha256:${digest}`,
      bytes,
    };
  });
  return context.json({ blobs: shownFiles }, 201);
}

/** A path that ends with a slash, or has no key, is a folder for what the files are called. */
function formKey(prefix: string, name: string, files: number): string {
  if (prefix !== "" && !prefix.endsWith("/")) {
    if (files === 1) return prefix;
    throw new HostError("bad_request", `The form has ${files} files for one key; end the path with a slash`);
  }
  if (name === "") throw new HostError("bad_request", "A file of the form has no name");
  return prefix + name;
}

function addressOf(context: BlobContext): { bucket: string; key: string } {
  const bucket = bucketName(context.req.param("bucket"), namespaceIn(context));
  return { bucket, key: keyInPath(context.req.path, `/v1/blobs/${plainName(bucket)}/`) };
}

/** Of a signed request what its link allows, else what the host does. */
function boundsOf(context: Context<ControlEnv>): LinkBounds {
  return context.get("link") ?? { bytesMax: limits.blobBytesMax, contentType: null };
}

/** Before a byte of it is taken. */
function assertAnnounced(context: Context<ControlEnv>, bytesMax: number): void {
  const announced = Number(context.req.header("content-length") ?? 0);
  if (announced <= bytesMax) return;
  throw new HostError("blob_too_large", `The blob has ${announced} bytes, limit is ${bytesMax}`);
}

function labelsOf(context: Context<ControlEnv>): BlobLabels {
  return {
    contentType: context.req.header("content-type") ?? "application/octet-stream",
    metadata: metadataIn(Object.entries(context.req.header())),
  };
}

function metadataIn(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(
    entries
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name.startsWith(metadataPrefix))
      .map(([name, value]) => [name.slice(metadataPrefix.length), value]),
  );
}

const etagOf = (digest: string): string => `"${digest}"`;

function digestOf(tag: string): string | null {
  return /^"([0-9a-f]{64})"$/.exec(tag)?.[1] ?? null;
}

/** RFC 9110, section 13.1.5: a range of what the client has a part of, or else the whole. */
function isRangeWanted(context: Context<ControlEnv>, etag: string): boolean {
  const ifRange = context.req.header("if-range");
  return ifRange === undefined || ifRange.trim() === etag;
}

function headersOf({ digest, contentType, metadata, changedAtMs }: Blob): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [metadataPrefix + name, value])),
    etag: etagOf(digest),
    "content-type": contentType,
    "last-modified": new Date(changedAtMs).toUTCString(),
    "accept-ranges": "bytes",
    // A page that somebody uploads is shown, but is no page of this host: it runs no scripts.
    "content-security-policy": "sandbox",
  };
}

function shown({ key, digest, bytes, contentType, metadata, changedAtMs }: Blob) {
  return {
    key,
    bytes,
    digest: `sha256:${digest}`,
    contentType,
    metadata,
    changedAt: new Date(changedAtMs).toISOString(),
  };
}
