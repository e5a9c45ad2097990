// Has each change of the control plane recorded: before it is made, and what became of it. What a resource was
// and is comes from its own GET, which shows no secret. Data is not recorded: keys, blobs and events are changed by
// the thousand, and have triggers of their own.

import type { Context, Hono, MiddlewareHandler } from "hono";
import type { Audit } from "../access/audit.ts";
import type { ControlEnv } from "./app.ts";
import { accessOf } from "./request-access.ts";

const changing = new Set(["PUT", "POST", "DELETE"]);
/** Roots of routes that change data, or nothing. */
const dataRoots = new Set(["kv", "blobs", "topics", "links"]);
/** Roots of routes of which a GET shows data, and nothing that is set up. */
const unseenRoots = new Set(["events", "invocations"]);

/** `look` has the routes of the control plane, to be asked for what they show. */
export function audited(audit: Audit, look: Hono<ControlEnv>): MiddlewareHandler<ControlEnv> {
  return async (context, next) => {
    const { method, path } = context.req;
    const [, , root = ""] = path.split("/");
    if (!changing.has(method) || dataRoots.has(root)) return next();
    const access = accessOf(context);
    const resource = unseenRoots.has(root) || isCollection(method, path) ? null : resourceOf(path);
    const before = await seen(look, context, resource);
    const end = await audit.begin({
      who: access.who,
      method,
      target: path,
      namespace: access.namespace,
      requestId: context.get("requestId"),
    });
    await next();
    const after = context.get("made") ?? (await seen(look, context, resource));
    await end({ status: context.res.status, before, after });
  };
}

/** Whether something is made there whose name is not known yet. */
function isCollection(method: string, path: string): boolean {
  return method === "POST" && path.split("/").length === 3;
}

/** What a change changes: an action changes what it is an action of, and a secret is shown by its list alone. */
function resourceOf(path: string): string {
  return path
    .replace(/\/secrets\/[^/]+$/, "/secrets")
    .replace(/^(\/v1\/functions\/[^/]+)\/[a-z]+$/, actionOf);
}

/** Those below a function that are no actions. */
const parts = new Set(["config", "secrets"]);

function actionOf(path: string, functionPath: string): string {
  return parts.has(path.slice(functionPath.length + 1)) ? path : functionPath;
}

/** What a GET of a resource shows; null where there is none. */
async function seen(
  look: Hono<ControlEnv>,
  context: Context<ControlEnv>,
  resource: string | null,
): Promise<unknown> {
  if (resource === null) return null;
  const answer = await look.request(resource, {}, { ...context.env, looking: accessOf(context) });
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return answer.ok && isJson ? await answer.json() : null;
}
