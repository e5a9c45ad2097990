// What a request to the control plane may do: who sent it, in which namespace, and which names it may touch. The
// scopes that a route asks for are in one table, so that a route which is forgotten here is closed to tokens that
// are not for the whole host.

import type { Context } from "hono";
import type { Who } from "../audit-entry.ts";
import { HostError } from "../errors.ts";
import { functionName, isFunctionName } from "../function.ts";
import { namespaceOf, plainName, qualifiedName } from "../namespace.ts";
import { allows, isUnlimited, reaches, type Scope, scopes, type Token } from "../token.ts";
import type { ControlEnv } from "./app.ts";

export type RequestAccess = {
  readonly who: Who;
  /** Of the names in its path. */
  readonly namespace: string;
  /** Null: it may do all. */
  readonly token: Token | null;
};

type Need = {
  /** Any of them will do. */
  readonly scopes: readonly Scope[];
  /** The name in the path that the token has to be for; null where there is none. */
  readonly name: string | null;
  /** Whether its answer is about the whole host. */
  readonly ofHost: boolean;
};

/** Roots of routes that keep to the names which a request may touch. */
const named = new Set(["functions", "kv", "blobs", "topics"]);
const filtered = new Set(["links", "events", "invocations"]);
const managed = new Set(["tokens", "audit"]);

/** What a route asks for; `path` is without the prefix of its namespace. */
export function needOf(method: string, path: string): Need {
  const [, , root = "", name = null] = path.split("/");
  const isRead = method === "GET" || method === "HEAD";
  const need = (wanted: readonly Scope[], ofHost = false): Need => ({
    scopes: wanted,
    name: named.has(root) ? name : null,
    ofHost,
  });
  if (root === "limits") return need(scopes);
  if (managed.has(root)) return need(["admin"]);
  // All that a host has is in it.
  if (root === "backup") return need(["admin"], true);
  if (root === "namespaces") return need([isRead ? "read" : "admin"], true);
  if (root === "topics") return need(["invoke"]);
  // Whoever had a call made may fetch its answer.
  if (root === "invocations" && isRead && name !== null) return need(["read", "invoke"]);
  const isKnown = named.has(root) || filtered.has(root);
  return need([isRead ? "read" : "deploy"], !isKnown);
}

/** Throws `forbidden`. */
export function assertAllowed({ token, namespace }: RequestAccess, method: string, path: string): void {
  if (token === null) return;
  const need = needOf(method, path);
  if (!allows(token, need.scopes)) throw forbidden(`want the scope ${need.scopes.join(" or ")}`);
  if (token.namespace !== null && token.namespace !== namespace) {
    throw forbidden(`it is for the namespace "${token.namespace}"`);
  }
  if (need.ofHost && !isForHost(token)) throw forbidden("want one for all names and namespaces");
  if (need.name === null || !isFunctionName(need.name)) return;
  if (!reaches(token, qualifiedName(need.name, namespace))) throw notFor(need.name, token);
}

/** Whether a token is for all that a host has. */
export function isForHost({ namespace, names }: Token): boolean {
  return namespace === null && isUnlimited(names);
}

/** Whether a name as it is kept is one that the request may touch. */
export function sees({ token, namespace }: RequestAccess, qualified: string): boolean {
  return namespaceOf(qualified) === namespace && (token === null || reaches(token, qualified));
}

/** Throws `forbidden` unless the request may touch what is kept under that name. */
export function assertSees(access: RequestAccess, qualified: string): void {
  if (access.token !== null && !sees(access, qualified)) throw notFor(plainName(qualified), access.token);
}

/** Throws `forbidden` for a list of all names by a token that is for some. */
function assertSeesAll({ token }: RequestAccess): void {
  if (token === null || isUnlimited(token.names)) return;
  throw forbidden(`it is for the names ${token.names.join(", ")}: name a function, ?function=NAME`);
}

/** The function that a path names, as it is kept; throws `invalid_name`. */
export function functionIn(context: Context<ControlEnv>): string {
  return qualifiedName(functionName(context.req.param("name") ?? ""), namespaceIn(context));
}

/** The function that a list is asked for, as it is kept; null for all. Throws `invalid_name` or `forbidden`. */
export function functionAsked(context: Context<ControlEnv>, name: string | undefined): string | null {
  const access = accessOf(context);
  if (name === undefined) {
    assertSeesAll(access);
    return null;
  }
  const qualified = qualifiedName(functionName(name), access.namespace);
  assertSees(access, qualified);
  return qualified;
}

export function accessOf(context: Context<ControlEnv>): RequestAccess {
  return context.get("access");
}

/** The namespace of the names in a request's path. */
export function namespaceIn(context: Context<ControlEnv>): string {
  return context.get("access").namespace;
}

function notFor(name: string, { names }: Token): HostError {
  return forbidden(`it is for the names ${names.join(", ")}, and not for "${name}"`);
}

function forbidden(why: string): HostError {
  return new HostError("forbidden", `The token does not allow this: ${why}`);
}
