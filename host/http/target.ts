// Which function a request is for, from its raw target and Host: pure functions of text. The target
// is taken as sent; nothing is decoded or normalised, so that "..%2f" never becomes a path.

import { aliasName } from "../alias.ts";
import { HostError } from "../errors.ts";
import { functionName } from "../function.ts";
import { bucketName, routeName, storeName, topicName, triggerName } from "../key.ts";
import { defaultNamespace, namespaceName, qualifiedName } from "../namespace.ts";
import { secretName } from "../secret.ts";
import type { ViaRoute } from "./via-route.ts";

export type Target = {
  readonly path: string;
  /** After the "?", as sent; "" when there is none. */
  readonly query: string;
};

/** What a request on the data plane is for. */
export type FunctionTarget = {
  /** As it is kept, namespace included. */
  readonly name: string;
  /** The version or alias that "@" pins, or null for what is live. */
  readonly pin: string | null;
  /** After the name, "/" when empty. */
  readonly path: string;
  readonly query: string;
  /** The route that it came by. */
  readonly via?: ViaRoute;
};

/**
 * Splits a request target (RFC 9112, section 3.2). An absolute form must name the same authority as
 * Host; anything but origin and absolute form is `bad_request`.
 */
export function parseTarget(target: string, host: string): Target {
  let origin = target;
  if (!target.startsWith("/")) {
    const absolute = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(target);
    if (absolute === null)
      throw new HostError("bad_request", "The request target is neither a path nor a URL");
    if (absolute[1]?.toLowerCase() !== host.toLowerCase()) {
      throw new HostError("bad_request", "The request target names another host than the Host header");
    }
    origin = absolute[2]?.startsWith("/") ? absolute[2] : `/${absolute[2] ?? ""}`;
  }
  const mark = origin.indexOf("?");
  if (mark === -1) return { path: origin, query: "" };
  return { path: origin.slice(0, mark), query: origin.slice(mark + 1) };
}

let lastHost = "";
let lastHostName = "";

/** The host name in a Host header, in lower case, without port, brackets and trailing dot. */
export function hostName(host: string): string {
  // Most requests in a row have the same.
  if (host !== lastHost) {
    lastHostName = readHostName(host);
    lastHost = host;
  }
  return lastHostName;
}

function readHostName(host: string): string {
  const name = host.startsWith("[") ? host.slice(1, host.indexOf("]")) : host.replace(/:\d*$/, "");
  return name.toLowerCase().replace(/\.$/, "");
}

/** NAME before it is the function of that name. */
export const functionDomain = ".localhost";
const pathPrefix = "/fn/";
const namespacePrefix = "/ns/";

/** The function a request is for; null when it is for the control plane. Throws `invalid_name`. */
export function functionTarget(target: Target, host: string): FunctionTarget | null {
  const name = hostName(host);
  if (name.endsWith(functionDomain)) {
    const labels = name.slice(0, -functionDomain.length);
    return { name: labelledFunction(labels), pin: null, path: target.path, query: target.query };
  }
  const { path } = target;
  if (path.startsWith(pathPrefix)) return targetIn(target, path.slice(pathPrefix.length), defaultNamespace);
  if (!path.startsWith(namespacePrefix)) return null;
  const [, namespace, rest] = /^\/ns\/([^/]+)\/fn\/(.*)$/.exec(path) ?? [];
  return namespace === undefined || rest === undefined
    ? null
    : targetIn(target, rest, namespaceName(namespace));
}

/** NAME, or NAME.NAMESPACE. */
function labelledFunction(labels: string): string {
  const dot = labels.indexOf(".");
  if (dot === -1) return functionName(labels);
  return qualifiedName(functionName(labels.slice(0, dot)), namespaceName(labels.slice(dot + 1)));
}

/** `rest` is what follows the prefix of functions in the path. */
function targetIn({ query }: Target, rest: string, namespace: string): FunctionTarget {
  const slash = rest.indexOf("/");
  const segment = slash === -1 ? rest : rest.slice(0, slash);
  const at = segment.indexOf("@");
  const named = at === -1 ? segment : segment.slice(0, at);
  return {
    name: qualifiedName(functionName(named), namespace),
    pin: at === -1 ? null : segment.slice(at + 1),
    path: slash === -1 ? "/" : rest.slice(slash),
    query,
  };
}

const namesInPaths = [
  [/^\/v1\/functions\/([^/]+)/, functionName],
  [/^\/v1\/functions\/[^/]+\/triggers\/([^/]+)$/, triggerName],
  [/^\/v1\/functions\/[^/]+\/aliases\/([^/]+)$/, aliasName],
  [/^\/v1\/routes\/([^/]+)$/, routeName],
  [/^\/v1\/functions\/[^/]+\/secrets\/([^/]+)$/, secretName],
  [/^\/v1\/topics\/([^/]+)$/, (name: string) => topicName(name, defaultNamespace)],
  [/^\/v1\/kv\/([^/]+)$/, (name: string) => storeName(name, defaultNamespace)],
  [/^\/v1\/blobs\/([^/]+)$/, (name: string) => bucketName(name, defaultNamespace)],
  [/^\/v1\/namespaces\/([^/]+)$/, namespaceName],
] as const;

/**
 * Throws when a path of the control plane is written in another spelling: `invalid_name` where a name
 * is, else `not_found`. Routes see the path decoded, so that "%61" would be the function "a" to manage,
 * though not to call.
 */
export function assertPlainPath(path: string): void {
  // Their keys are any text, and their routes read them as they were sent.
  if (/^\/v1\/(kv|blobs)\/[^/]+\//.test(path)) return;
  // What is no name has a better answer than that there is no such route.
  for (const [pattern, assertName] of namesInPaths) {
    const [, name] = pattern.exec(path) ?? [];
    if (name !== undefined) assertName(name);
  }
  if (/%|\/\.{1,2}(\/|$)/.test(path)) {
    throw new HostError("not_found", "No such route: its paths hold no percent-encoding and no dot segments");
  }
}
