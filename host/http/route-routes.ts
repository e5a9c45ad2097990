// /v1/routes: which requests go to a function by a path or host name of one's own, or get a fixed answer.

import { Hono } from "hono";
import { HostError } from "../errors.ts";
import { routeName } from "../key.ts";
import { parseRoute, type Route } from "../route.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { ControlEnv } from "./app.ts";
import type { Routing } from "./routing.ts";
import { readJson } from "./stream-body.ts";

export type RouteRouteParts = {
  readonly routes: Pick<RouteStore, "all" | "get">;
  readonly routing: Pick<Routing, "put" | "remove" | "isOwnHost">;
};

export function routeRoutes({ routes, routing }: RouteRouteParts): Hono<ControlEnv> {
  const paths = new Hono<ControlEnv>();
  const required = (id: string): Route => {
    const found = routes.get(routeName(id));
    if (found === null) throw new HostError("route_not_found", `No route "${id}"`);
    return found;
  };

  paths.get("/", (context) => context.json({ routes: routes.all().map(shown) }));

  paths.get("/:route", (context) => context.json(shown(required(context.req.param("route")))));

  paths.put("/:route", async (context) => {
    const id = routeName(context.req.param("route"));
    const settings = parseRoute(await readJson(context.req.raw, "invalid_route"), (host) =>
      routing.isOwnHost(host),
    );
    const created = await routing.put(id, settings);
    return context.json(shown(required(id)), created ? 201 : 200);
  });

  paths.delete("/:route", async (context) => {
    const { id } = required(context.req.param("route"));
    await routing.remove(id);
    return context.body(null, 204);
  });

  return paths;
}

function shown({ id, settings, changedAtMs }: Route) {
  return { id, ...settings, changedAt: new Date(changedAtMs).toISOString() };
}
