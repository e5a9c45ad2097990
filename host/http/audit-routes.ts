// /v1/audit: who changed what, newest first.

import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../access/audit.ts";
import { defaultNamespace } from "../namespace.ts";
import type { ControlEnv } from "./app.ts";
import { readQuery } from "./query.ts";
import { accessOf, isForHost } from "./request-access.ts";

export type AuditRouteParts = { readonly audit: Audit };

const listSchema = z.strictObject({
  cursor: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function auditRoutes({ audit }: AuditRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.get("/", (context) => {
    const { cursor, limit } = readQuery(context, listSchema);
    const { namespace, token } = accessOf(context);
    const ofAll = namespace === defaultNamespace && (token === null || isForHost(token));
    const page = audit.list(ofAll ? null : namespace, cursor ?? null, limit);
    const entries = page.entries.map(({ atMs, ...entry }) => ({
      ...entry,
      at: new Date(atMs).toISOString(),
    }));
    return context.json({ entries, cursor: page.cursor === null ? null : String(page.cursor) });
  });
  return routes;
}
