// The prefix by which a path of the control plane names its namespace: /v1/namespaces/{namespace}/functions is
// /v1/functions of that namespace. Pure.

import { defaultNamespace, isInNamespaces } from "../namespace.ts";

export type NamespacedPath = {
  /** As it was sent: it may be no name. */
  readonly namespace: string;
  /** Without the prefix. */
  readonly path: string;
};

export function namespacedPath(path: string): NamespacedPath {
  const [, namespace, rest] = /^\/v1\/namespaces\/([^/]+)(\/.*)$/.exec(path) ?? [];
  if (namespace === undefined || rest === undefined || !isInNamespaces(`/v1${rest}`)) {
    return { namespace: defaultNamespace, path };
  }
  return { namespace, path: `/v1${rest}` };
}
