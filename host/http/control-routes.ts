// The routes under /v1, without who may use them: mounted by `app.ts` behind its guard, and asked by `audited.ts` what
// a resource shows.

import { Hono } from "hono";
import type { Deployer } from "../deploy/deployer.ts";
import type { ErrorCode } from "../errors.ts";
import { limitTable } from "../limits.ts";
import type { LogStore } from "../observe/log-store.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { type AliasRouteParts, aliasRoutes } from "./alias-routes.ts";
import type { ControlEnv } from "./app.ts";
import { type AuditRouteParts, auditRoutes } from "./audit-routes.ts";
import { type BackupRouteParts, backupRoutes } from "./backup-routes.ts";
import { type BlobRouteParts, blobRoutes, linkRoutes } from "./blob-routes.ts";
import { type EventRouteParts, eventRoutes } from "./event-routes.ts";
import { functionRoutes } from "./function-routes.ts";
import { type InvocationRouteParts, invocationRoutes } from "./invocation-routes.ts";
import { type KvRouteParts, kvRoutes } from "./kv-routes.ts";
import { logRoutes } from "./log-routes.ts";
import { moduleRoutes } from "./module-routes.ts";
import { type NamespaceRouteParts, namespaceRoutes } from "./namespace-routes.ts";
import { type RouteRouteParts, routeRoutes } from "./route-routes.ts";
import { type SecretRouteParts, secretRoutes } from "./secret-routes.ts";
import { type TokenRouteParts, tokenRoutes } from "./token-routes.ts";
import { type TopicRouteParts, topicRoutes } from "./topic-routes.ts";
import { type TrafficRouteParts, trafficRoutes } from "./traffic-routes.ts";
import { type TriggerRouteParts, triggerRoutes } from "./trigger-routes.ts";
import { type UsageRouteParts, usageRoutes } from "./usage-routes.ts";

export type ControlRouteParts = {
  readonly functions: FunctionStore;
  readonly artifacts: Pick<ArtifactStore, "read">;
  readonly deployer: Deployer;
  readonly logs: LogStore;
  /** The address under which functions are called, `http://127.0.0.1:4747`. */
  readonly baseUrl: () => string;
  readonly onDeploy: (outcome: "created" | "unchanged" | ErrorCode) => void;
} & AliasRouteParts &
  RouteRouteParts &
  SecretRouteParts &
  KvRouteParts &
  BlobRouteParts &
  TopicRouteParts &
  TriggerRouteParts &
  EventRouteParts &
  InvocationRouteParts &
  TrafficRouteParts &
  UsageRouteParts &
  TokenRouteParts &
  NamespaceRouteParts &
  AuditRouteParts &
  BackupRouteParts;

export function controlRoutes(parts: ControlRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.get("/v1/limits", (context) => context.json({ limits: limitTable }));
  routes.route("/v1/functions", functionRoutes(parts));
  routes.route("/v1/functions", aliasRoutes(parts));
  routes.route("/v1/functions", moduleRoutes(parts));
  routes.route("/v1/functions", logRoutes(parts));
  routes.route("/v1/functions", triggerRoutes(parts));
  routes.route("/v1/functions", secretRoutes(parts));
  routes.route("/v1/routes", routeRoutes(parts));
  routes.route("/v1/kv", kvRoutes(parts));
  routes.route("/v1/blobs", blobRoutes(parts));
  routes.route("/v1/links", linkRoutes(parts));
  routes.route("/v1/topics", topicRoutes(parts));
  routes.route("/v1/events", eventRoutes(parts));
  routes.route("/v1/invocations", invocationRoutes(parts));
  routes.route("/v1/usage", usageRoutes(parts));
  routes.route("/v1/traffic", trafficRoutes(parts));
  routes.route("/v1/namespaces", namespaceRoutes(parts));
  routes.route("/v1/tokens", tokenRoutes(parts));
  routes.route("/v1/audit", auditRoutes(parts));
  routes.route("/v1/backup", backupRoutes(parts));
  return routes;
}

/** The same, for nobody but the host itself: `looking` of the environment says as whom it looks. */
export function lookingRoutes(parts: ControlRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.use(async (context, next) => {
    const { looking } = context.env;
    if (looking !== undefined) context.set("access", looking);
    await next();
  });
  routes.route("/", controlRoutes(parts));
  // What is not there, or cannot be seen, is nothing.
  routes.onError((_error, context) => context.body(null, 404));
  return routes;
}
