// /v1/namespaces: makes namespaces, gives them quotas, shows what they use of those, and removes empty ones. What
// is in one is under /v1/namespaces/{namespace}/, which `namespaced-path.ts` reads.

import { Hono } from "hono";
import type { Namespaces } from "../access/namespaces.ts";
import type { Tokens } from "../access/tokens.ts";
import { namespaceName } from "../namespace.ts";
import { type Namespace, parseQuotas } from "../quotas.ts";
import type { ControlEnv } from "./app.ts";
import { readJson } from "./stream-body.ts";

export type NamespaceRouteParts = {
  readonly namespaces: Namespaces;
  readonly tokens: Pick<Tokens, "forget">;
};

export function namespaceRoutes({ namespaces, tokens }: NamespaceRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const shown = ({ name, quotas, createdAtMs }: Namespace) => ({
    name,
    quotas,
    use: namespaces.use(name),
    createdAt: createdAtMs === 0 ? null : new Date(createdAtMs).toISOString(),
  });

  routes.get("/", (context) => context.json({ namespaces: namespaces.list().map(shown) }));

  routes.get("/:namespace", (context) =>
    context.json(shown(namespaces.get(namespaceName(context.req.param("namespace"))))),
  );

  routes.put("/:namespace", async (context) => {
    const name = namespaceName(context.req.param("namespace"));
    const created = await namespaces.put(name, parseQuotas(await readJson(context.req.raw, "bad_request")));
    return context.json(shown(namespaces.get(name)), created ? 201 : 200);
  });

  routes.delete("/:namespace", async (context) => {
    const name = namespaceName(context.req.param("namespace"));
    await namespaces.remove(name);
    tokens.forget(name);
    return context.body(null, 204);
  });

  return routes;
}
