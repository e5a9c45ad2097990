// /v1/tokens: makes tokens, lists them, and revokes them. A token is in one answer, that of its making.

import { Hono } from "hono";
import type { Tokens } from "../access/tokens.ts";
import { HostError } from "../errors.ts";
import { defaultNamespace } from "../namespace.ts";
import { parseTokenSettings, type Token } from "../token.ts";
import type { ControlEnv } from "./app.ts";
import { accessOf, isForHost, type RequestAccess } from "./request-access.ts";
import { readJson } from "./stream-body.ts";

export type TokenRouteParts = { readonly tokens: Pick<Tokens, "list" | "get" | "create" | "remove"> };

export function tokenRoutes({ tokens }: TokenRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const find = (access: RequestAccess, id: string): Token => {
    const token = tokens.get(id);
    if (token !== null && mayManage(access, token)) return token;
    throw new HostError("token_not_found", `No token ${JSON.stringify(id.slice(0, 40))}`);
  };

  routes.get("/", (context) => {
    const access = accessOf(context);
    const found = tokens.list(null).filter((token) => mayManage(access, token));
    return context.json({ tokens: found.map(shown) });
  });

  routes.post("/", async (context) => {
    const access = accessOf(context);
    const settings = parseTokenSettings(await readJson(context.req.raw, "bad_request"));
    if (settings.allNamespaces && access.token !== null && !isForHost(access.token)) {
      throw new HostError("forbidden", "The token does not allow this: it is for one namespace itself");
    }
    const { token, text } = await tokens.create(settings, access.namespace);
    context.set("made", shown(token));
    return context.json({ ...shown(token), token: text }, 201);
  });

  routes.get("/:id", (context) => context.json(shown(find(accessOf(context), context.req.param("id")))));

  routes.delete("/:id", async (context) => {
    await tokens.remove(find(accessOf(context), context.req.param("id")).id);
    return context.body(null, 204);
  });

  return routes;
}

/** Those of its namespace, and those of the whole host by whoever is for that. */
function mayManage({ token, namespace }: RequestAccess, other: Token): boolean {
  if (other.namespace !== null) return other.namespace === namespace;
  return namespace === defaultNamespace && (token === null || isForHost(token));
}

function shown({ createdAtMs, expiresAtMs, usedAtMs, ...rest }: Token) {
  return {
    ...rest,
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: timeText(expiresAtMs),
    usedAt: timeText(usedAtMs),
  };
}

function timeText(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
