// The nouns of namespaces. Outside of `default` a name is kept as `NAME.NAMESPACE`, by functions, stores, buckets
// and topics alike: no name holds a dot, so that no two of them are ever the same text. Pure.

import { HostError } from "./errors.ts";
import { isFunctionName } from "./function.ts";

/** The one that is always there, in which names are kept as they are. */
export const defaultNamespace = "default";

/** Returns `text` when it is the name of a namespace, else throws `invalid_name`. */
export function namespaceName(text: string): string {
  if (isFunctionName(text)) return text;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new HostError(
    "invalid_name",
    `Cannot use ${shown} as the name of a namespace: want 1 to 63 of a-z, 0-9 and inner hyphens`,
  );
}

/** How a name of a namespace is kept; both have been checked. */
export function qualifiedName(name: string, namespace: string): string {
  return namespace === defaultNamespace ? name : `${name}.${namespace}`;
}

/** The namespace of a name as it is kept. */
export function namespaceOf(qualified: string): string {
  const dot = qualified.indexOf(".");
  return dot === -1 ? defaultNamespace : qualified.slice(dot + 1);
}

/** A name as its own namespace knows it. */
export function plainName(qualified: string): string {
  const dot = qualified.indexOf(".");
  return dot === -1 ? qualified : qualified.slice(0, dot);
}

/** The prefix of paths of the control plane that are about a namespace. */
export function prefixOf(namespace: string): string {
  return namespace === defaultNamespace ? "/v1" : `/v1/namespaces/${namespace}`;
}

/** Where a function is called, as it is kept. */
export function callPath(qualified: string): string {
  const namespace = namespaceOf(qualified);
  const prefix = namespace === defaultNamespace ? "" : `/ns/${namespace}`;
  return `${prefix}/fn/${plainName(qualified)}`;
}

/** Whether what a path of the control plane is about is there in each namespace, and not once for the host. */
export function isInNamespaces(path: string): boolean {
  return /^\/v1\/(functions|kv|blobs|links|topics|events|invocations|tokens|audit|limits)([/?]|$)/.test(path);
}
