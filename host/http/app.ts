// The control plane as a Hono application: who may call, the routes, and the one error answer. Everything else
// about the host comes in through `ControlParts`; tests call it by `app.request()`.

import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { getPath } from "hono/utils/url";
import type { Gate } from "../access/gate.ts";
import { HostError } from "../errors.ts";
import { defaultNamespace, namespaceName } from "../namespace.ts";
import type { LinkBounds } from "../services/blob-links.ts";
import { audited } from "./audited.ts";
import { type ControlRouteParts, controlRoutes, lookingRoutes } from "./control-routes.ts";
import { problemOf } from "./error-response.ts";
import { type Caller, type GuardBounds, identify, identifyScraper } from "./guard.ts";
import { namespacedPath } from "./namespaced-path.ts";
import { openApiDocument } from "./openapi.ts";
import { answerPagePreflight, openToOrigin } from "./pages.ts";
import { assertAllowed, type RequestAccess } from "./request-access.ts";
import { ClientGone } from "./request-body.ts";
import { admitSigned, answerPreflight, isPreflight, isSigned } from "./signed-requests.ts";
import { assertPlainPath, parseTarget } from "./target.ts";

export type ControlParts = {
  readonly guard: GuardBounds;
  readonly gate: Pick<Gate, "takeRateOf">;
  /** Null when ready, else why not. */
  readonly notReady: () => string | null;
  readonly metrics: () => Promise<string>;
  readonly onFault: (error: unknown, requestId: string) => void;
} & ControlRouteParts;

export type ControlEnv = {
  Bindings: Partial<HttpBindings> & {
    /** Of a look of the host itself: as whom. */
    looking?: RequestAccess;
  };
  Variables: {
    requestId: string;
    access: RequestAccess;
    /** What was made where its name was not known before, as it is shown. */
    made?: unknown;
    /** What the link allows by which the request was signed. */
    link?: LinkBounds;
  };
};

export function controlApp(parts: ControlParts): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>({
    strict: true,
    // As it was sent: what a URL is normalised to may be another key, or another route.
    getPath: (request, options) => namespacedPath(sentPath(request, options?.env)).path,
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
    const { namespace } = namespacedPath(sentPath(context.req.raw, context.env));
    if (isSigned(context)) {
      if (isPreflight(context)) return answerPreflight(context, parts.links, namespaceName(namespace));
      context.set("link", admitSigned(context, parts.links, namespaceName(namespace)));
      context.set("access", { who: "local", namespace, token: null });
    } else if (path.startsWith("/v1")) {
      // Whoever may not call is told nothing of names and routes.
      if (isPreflight(context) && answerPagePreflight(context, parts.guard)) return context.body(null, 204);
      admit(parts, context, namespace);
    }
    assertPlainPath(path);
    await next();
  });
  app.use("/v1/*", async (context, next) => {
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") assertReady("Cannot make the change");
    await next();
  });
  app.use("/v1/*", audited(parts.audit, lookingRoutes(parts)));
  app.get("/healthz", (context) => context.json({ status: "live" }));
  app.get("/readyz", (context) => {
    assertReady("The host is not ready");
    return context.json({ status: "ready" });
  });
  app.get("/metrics", async (context) => {
    const { token, who } = identifyScraper(callerOf(context), parts.guard);
    assertAllowed({ who, token, namespace: defaultNamespace }, "GET", "/v1/metrics");
    return context.body(await parts.metrics(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });
  app.get("/openapi.json", (context) => context.json(openApiDocument()));
  app.route("/", controlRoutes(parts));
  app.notFound((context) => {
    throw wrongRoute(app, context.req.method, context.req.path);
  });
  return app;
}

/** Lets a request in, or throws; what it may touch is in its `access` from then on. */
function admit(parts: ControlParts, context: Context<ControlEnv>, namespace: string): void {
  const { guard, gate, namespaces } = parts;
  openToOrigin(context, guard);
  const { who, token } = identify(callerOf(context), guard);
  const access = { who, token, namespace };
  assertAllowed(access, context.req.method, context.req.path);
  // After a refusal by scope: who may not look learns of no namespace.
  namespaces.get(namespaceName(namespace));
  if (token !== null) for (const [name, value] of pairs(gate.takeRateOf(token))) context.header(name, value);
  context.set("access", access);
}

function pairs(texts: readonly string[]): [string, string][] {
  return texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? ""]] : []));
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
