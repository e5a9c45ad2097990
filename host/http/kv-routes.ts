// /v1/kv: the key-value stores over HTTP. A value is a body of bytes; its version is the ETag.

import { type Context, Hono } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import { keyInPath, storeName } from "../key.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { KvService } from "../services/kv-service.ts";
import type { KvEntry } from "../store/kv-store.ts";
import type { ControlEnv } from "./app.ts";
import type { BodyBudget } from "./body-budget.ts";
import { valueBody } from "./body-bytes.ts";
import { conditionOf, isKnown } from "./conditions.ts";
import { sentDepth } from "./headers.ts";
import { readQuery } from "./query.ts";
import { accessOf, namespaceIn, sees } from "./request-access.ts";
import { readStream } from "./stream-body.ts";

export type KvRouteParts = {
  readonly kv: KvService;
  /** Room in memory for values on their way in. */
  readonly bodies: BodyBudget;
};

const listSchema = z.strictObject({
  prefix: z.string().default(""),
  cursor: z.string().default(""),
  limit: z.coerce.number().int().min(1).max(limits.kvListMax).default(100),
});

const setSchema = z.strictObject({
  ttl: z
    .string()
    .regex(/^\d{1,12}(\.\d{1,6})?$/, "want seconds, or 0 for ever")
    .default("0"),
});

const incrementSchema = z.strictObject({
  increment: z.string().regex(/^-?\d{1,19}$/, "want a whole number"),
});

export function kvRoutes({ kv, bodies }: KvRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();

  routes.get("/", (context) => {
    const access = accessOf(context);
    const seen = kv.stores().filter(({ store }) => sees(access, store));
    return context.json({ stores: seen.map((row) => ({ ...row, store: plainName(row.store) })) });
  });

  routes.get("/:store", (context) => {
    const { prefix, cursor, limit } = readQuery(context, listSchema);
    const page = kv.list(storeName(context.req.param("store"), namespaceIn(context)), prefix, cursor, limit);
    const keys = page.keys.map(({ key, bytes, version, expiresAtMs }) => ({
      key,
      bytes,
      version,
      expiresAt: expiryText(expiresAtMs),
    }));
    return context.json({ keys, cursor: page.cursor });
  });

  routes.get("/:store/*", (context) => {
    const { store, key } = addressOf(context);
    const entry = kv.get(store, key);
    if (entry === null)
      throw new HostError("key_not_found", `No such key in the store "${plainName(store)}"`);
    const headers = stateHeaders(entry);
    if (isKnown(context, etagOf(entry.version), null)) return context.body(null, 304, headers);
    return context.body(new Uint8Array(entry.value), 200, {
      ...headers,
      "content-type": "application/octet-stream",
      // For HEAD, whose answer has no body to be measured.
      "content-length": String(entry.value.byteLength),
    });
  });

  routes.put("/:store/*", async (context) => {
    const { store, key } = addressOf(context);
    const { ttl } = readQuery(context, setSchema);
    const condition = conditionOf(context, versionOf);
    using share = bodies.share();
    const value = await readStream(context.req.raw, valueBody, share);
    const options = { ttlSeconds: Number(ttl), condition, depth: sentDepth(context) };
    const { version, created } = await kv.set(store, key, value, options);
    return context.json({ version }, created ? 201 : 200, { etag: etagOf(version) });
  });

  routes.delete("/:store/*", async (context) => {
    const { store, key } = addressOf(context);
    const found = await kv.delete(store, key, conditionOf(context, versionOf), sentDepth(context));
    if (!found) throw new HostError("key_not_found", `No such key in the store "${plainName(store)}"`);
    return context.body(null, 204);
  });

  routes.post("/:store/*", async (context) => {
    const { store, key } = addressOf(context);
    const { increment } = readQuery(context, incrementSchema);
    const value = await kv.increment(store, key, BigInt(increment), sentDepth(context));
    // More than JSON's numbers can hold exactly.
    return context.json({ value: String(value) });
  });

  return routes;
}

function addressOf(context: Context<ControlEnv, "/:store/*">): { store: string; key: string } {
  const store = storeName(context.req.param("store"), namespaceIn(context));
  return { store, key: keyInPath(context.req.path, `/v1/kv/${plainName(store)}/`) };
}

const etagOf = (version: number): string => `"${version}"`;

function stateHeaders({ version, expiresAtMs }: KvEntry): Record<string, string> {
  const expires = expiryText(expiresAtMs);
  return { etag: etagOf(version), ...(expires === null ? {} : { "x-mayfly-expires-at": expires }) };
}

function expiryText(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

/** A weak tag, or one of something else, is none of a version. */
function versionOf(tag: string): number | null {
  const [, version] = /^"(\d{1,15})"$/.exec(tag) ?? [];
  return version === undefined ? null : Number(version);
}
