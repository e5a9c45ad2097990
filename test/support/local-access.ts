// Routes of the control plane as the guard has let a loopback peer in: for tests that ask them without the rest
// of the application.

import { Hono } from "hono";
import type { ControlEnv } from "../../host/http/app.ts";

export function withLocalAccess(routes: Hono<ControlEnv>): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  app.use(async (context, next) => {
    context.set("access", { who: "local", namespace: "default", token: null });
    await next();
  });
  return app.route("/", routes) as Hono<ControlEnv>;
}
