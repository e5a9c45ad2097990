// How functions and versions are shown as JSON.

import type { Release } from "../alias.ts";
import { type Deployment, type FunctionVersion, runsOnReset } from "../function.ts";
import { callPath, namespaceOf, plainName } from "../namespace.ts";

/** `release` is that of the alias that led to it. */
export function shownFunction(deployment: Deployment, release: Release | null, baseUrl: string) {
  const url = `${baseUrl}${callPath(deployment.name)}`;
  const { version, share } = release?.alias.canary ?? { version: 0, share: 0 };
  const canary = share === 0 ? null : { version, percent: share / 100 };
  return { ...shownVersion(deployment), url, config: deployment.config, canary };
}

export function shownVersion(row: FunctionVersion) {
  const { version, digest, abi, bytes, createdAtMs, freshCosts, quarantined, metered, files } = row;
  const [name, namespace] = [plainName(row.name), namespaceOf(row.name)];
  const { newUs = null, resetUs = null } = freshCosts ?? {};
  const fresh = { by: runsOnReset(row) ? "reset" : "new", newUs, resetUs };
  const createdAt = new Date(createdAtMs).toISOString();
  return { name, namespace, version, digest, abi, bytes, createdAt, fresh, quarantined, metered, files };
}
