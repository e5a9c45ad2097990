// The control plane as a Hono application: guards, routes and the one error answer. Everything else
// about the host comes in through `ControlParts`; tests call it by `app.request()`.

import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { Deployer } from "../deploy/deployer.ts";
import type { ErrorCode } from "../errors.ts";
import { HostError } from "../errors.ts";
import { limitTable } from "../limits.ts";
import type { LogStore } from "../observe/log-store.ts";
import type { LinkBounds } from "../services/blob-links.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { type AliasRouteParts, aliasRoutes } from "./alias-routes.ts";
import { type BackupRouteParts, backupRoutes } from "./backup-routes.ts";
import { type BlobRouteParts, blobRoutes, linkRoutes } from "./blob-routes.ts";
import { problemOf } from "./error-response.ts";
import { type EventRouteParts, eventRoutes } from "./event-routes.ts";
import { functionRoutes } from "./function-routes.ts";
import { assertMayCall, assertMayScrape, type Caller, type GuardBounds } from "./guard.ts";
import { type InvocationRouteParts, invocationRoutes } from "./invocation-routes.ts";
import { type KvRouteParts, kvRoutes } from "./kv-routes.ts";
import { logRoutes } from "./log-routes.ts";
import { moduleRoutes } from "./module-routes.ts";
import { openApiDocument } from "./openapi.ts";
import { ClientGone } from "./request-body.ts";
import { type RouteRouteParts, routeRoutes } from "./route-routes.ts";
import { admitSigned, answerPreflight, isPreflight, isSigned } from "./signed-requests.ts";
import { assertPlainPath, parseTarget } from "./target.ts";
import { type TopicRouteParts, topicRoutes } from "./topic-routes.ts";
import { type TrafficRouteParts, trafficRoutes } from "./traffic-routes.ts";
import { type TriggerRouteParts, triggerRoutes } from "./trigger-routes.ts";
import { type UsageRouteParts, usageRoutes } from "./usage-routes.ts";

export type ControlParts = {
  readonly guard: GuardBounds;
  readonly functions: FunctionStore;
  readonly artifacts: Pick<ArtifactStore, "read">;
  readonly deployer: Deployer;
  readonly logs: LogStore;
  /** The address under which functions are called, `http://127.0.0.1:4747`. */
  readonly baseUrl: () => string;
  /** Null when ready, else why not. */
  readonly notReady: () => string | null;
  readonly metrics: () => Promise<string>;
  readonly onDeploy: (outcome: "created" | "unchanged" | ErrorCode) => void;
  readonly onFault: (error: unknown, requestId: string) => void;
} & AliasRouteParts &
  RouteRouteParts &
  KvRouteParts &
  BlobRouteParts &
  TopicRouteParts &
  TriggerRouteParts &
  EventRouteParts &
  InvocationRouteParts &
  TrafficRouteParts &
  UsageRouteParts &
  BackupRouteParts;

export type ControlEnv = {
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** What the link allows by which the request was signed. */
    link?: LinkBounds;
  };
};

export function controlApp(parts: ControlParts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>({
    strict: true,
    // As it was sent: what a URL is normalised to may be another key, or another route.
    getPath: (request, options) => sentPath(request, options?.env),
  });
  app.use(async (context, next) => {
    const requestId = randomUUID();
    context.set("requestId", requestId);
    context.header("x-mayfly-request-id", requestId);
    context.header("x-content-type-options", "nosniff");
    context.header("cache-control", "no-store");
    await next();
    // Nothing further is to come on a connection of a host that ends.
    if (parts.notReady() !== null) context.header("connection", "close");
  });
  app.onError((error, context) => {
    const requestId = context.get("requestId") ?? randomUUID();
    // Nobody is left to answer, and it is no fault of ours; the status is for the eye of a log only.
    if (error instanceof ClientGone) return context.body(null, 400);
    const problem = problemOf(error, requestId, (fault) => parts.onFault(fault, requestId));
    for (const [name, value] of problem.headers) context.header(name, value);
    return context.body(problem.body, problem.status as never);
  });
  const assertReady = (what: string): void => {
    const reason = parts.notReady();
    if (reason !== null) throw new HostError("overloaded", `${what}: ${reason}`, { retryAfterS: 1 });
  };
  app.use(async (context, next) => {
    const { path } = context.req;
    if (isSigned(context)) {
      if (isPreflight(context)) return answerPreflight(context, parts.links);
      context.set("link", admitSigned(context, parts.links));
    } else if (path.startsWith("/v1")) {
      // Whoever may not call is told nothing of names and routes.
      assertMayCall(callerOf(context), parts.guard);
    }
    assertPlainPath(path);
    await next();
  });
  app.use("/v1/*", async (context, next) => {
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") assertReady("Cannot make the change");
    await next();
  });
  app.get("/healthz", (context) => context.json({ status: "live" }));
  app.get("/readyz", (context) => {
    assertReady("The host is not ready");
    return context.json({ status: "ready" });
  });
  app.get("/metrics", async (context) => {
    assertMayScrape(callerOf(context), parts.guard);
    return context.body(await parts.metrics(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });
  app.get("/openapi.json", (context) => context.json(openApiDocument()));
  app.get("/v1/limits", (context) => context.json({ limits: limitTable }));
  app.route("/v1/functions", functionRoutes(parts));
  app.route("/v1/functions", aliasRoutes(parts));
  app.route("/v1/functions", moduleRoutes(parts));
  app.route("/v1/functions", logRoutes(parts));
  app.route("/v1/functions", triggerRoutes(parts));
  app.route("/v1/routes", routeRoutes(parts));
  app.route("/v1/kv", kvRoutes(parts));
  app.route("/v1/blobs", blobRoutes(parts));
  app.route("/v1/links", linkRoutes(parts));
  app.route("/v1/topics", topicRoutes(parts));
  app.route("/v1/events", eventRoutes(parts));
  app.route("/v1/invocations", invocationRoutes(parts));
  app.route("/v1/usage", usageRoutes(parts));
  app.route("/v1/traffic", trafficRoutes(parts));
  app.route("/v1/backup", backupRoutes(parts));
  app.notFound((context) => {
    throw wrongRoute(app, context.req.method, context.req.path);
  });
  return app;
}

/** Tells a wrong method from a wrong path. */
function wrongRoute(app: Hono<ControlEnv>, method: string, path: string): HostError {
  const methods = ["GET", "PUT", "POST", "DELETE"]
    .filter(
      (other) =>
        other !== method && app.router.match(other, path)[0].some(([[handler]]) => handler.length < 2),
    )
    .flatMap((other) => (other === "GET" ? ["GET", "HEAD"] : other));
  if (methods.length === 0) return new HostError("not_found", "No such route");
  return new HostError(
    "method_not_allowed",
    `This route takes ${methods.join(", ")}, not ${method.slice(0, 20)}`,
    {
      extra: { allow: methods },
    },
  );
}

/** The path as it was sent, without the query. */
function sentPath(request: Request, env: ControlEnv["Bindings"] | undefined): string {
  const { url, headers } = env?.incoming ?? {};
  return url === undefined ? getPath(request) : parseTarget(url, headers?.host ?? "").path;
}

type CallerContext = { env: Partial<HttpBindings>; req: { header(name: string): string | undefined } };

function callerOf(context: CallerContext): Caller {
  const socket = context.env.incoming?.socket;
  return {
    remoteAddress: socket?.remoteAddress ?? "",
    localAddress: socket?.localAddress ?? "",
    header: (name) => context.req.header(name),
  };
}
