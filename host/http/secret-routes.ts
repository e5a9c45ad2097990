// /v1/functions/{name}/secrets: what a function is given and nobody is shown. A value goes in, and never out.

import { Hono } from "hono";
import { HostError } from "../errors.ts";
import { plainName } from "../namespace.ts";
import { type ListedSecret, secretName, secretValue } from "../secret.ts";
import type { Secrets } from "../services/secrets.ts";
import type { ControlEnv } from "./app.ts";
import { secretBody } from "./body-bytes.ts";
import { functionIn } from "./request-access.ts";
import { readStream } from "./stream-body.ts";

export type SecretRouteParts = { readonly secrets: Pick<Secrets, "list" | "put" | "remove"> };

export function secretRoutes({ secrets }: SecretRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();

  routes.get("/:name/secrets", (context) => {
    const name = functionIn(context);
    return context.json({ secrets: secrets.list(name).map(shown) });
  });

  routes.put("/:name/secrets/:secret", async (context) => {
    const name = functionIn(context);
    const secret = secretName(context.req.param("secret"));
    const value = secretValue(await readStream(context.req.raw, secretBody));
    const created = await secrets.put(name, secret, value);
    const listed = secrets.list(name).find((each) => each.name === secret);
    // Removed by somebody else in between.
    if (listed === undefined) throw notFound(name, secret);
    return context.json(shown(listed), created ? 201 : 200);
  });

  routes.delete("/:name/secrets/:secret", async (context) => {
    const name = functionIn(context);
    const secret = secretName(context.req.param("secret"));
    if (!(await secrets.remove(name, secret))) throw notFound(name, secret);
    return context.body(null, 204);
  });

  return routes;
}

function shown({ name, createdAtMs, updatedAtMs }: ListedSecret) {
  return {
    name,
    createdAt: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
  };
}

function notFound(name: string, secret: string): HostError {
  return new HostError("secret_not_found", `"${plainName(name)}" has no secret "${secret}"`);
}
