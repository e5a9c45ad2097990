// From rows to the nouns of functions: versions, deployments, aliases. Pure; for the reading side.

import type { Alias, Guard, Sticky, TakenBack } from "../../alias.ts";
import {
  type Abi,
  type Deployment,
  type FreshCosts,
  type FunctionConfig,
  type FunctionVersion,
  parseFunctionConfig,
} from "../../function.ts";
import type { Row } from "./statement-cache.ts";

/** Of a version `v` and its function `f`. */
export const deploymentColumns = `v.id, v.name, v.version, v.digest, v.abi, v.size_bytes, v.created_at_ms,
  v.new_us, v.reset_us, v.quarantined, v.metered, v.files_digest, v.files_bytes, f.config_json, f.config_revision`;

export function toConfig(row: Row): FunctionConfig {
  return parseFunctionConfig(JSON.parse(String(row["config_json"])));
}

export function toVersion(row: Row): FunctionVersion {
  return {
    id: Number(row["id"]),
    name: String(row["name"]),
    version: Number(row["version"]),
    digest: String(row["digest"]),
    abi: String(row["abi"]) as Abi,
    bytes: Number(row["size_bytes"]),
    createdAtMs: Number(row["created_at_ms"]),
    freshCosts: toCosts(row),
    quarantined: row["quarantined"] === 1,
    metered: row["metered"] === 1,
    files:
      row["files_digest"] === ""
        ? null
        : { digest: String(row["files_digest"]), bytes: Number(row["files_bytes"]) },
  };
}

function toCosts({ new_us: newUs, reset_us: resetUs }: Row): FreshCosts | null {
  if (typeof newUs !== "number") return null;
  return { newUs, resetUs: typeof resetUs === "number" ? resetUs : null };
}

/** As its number finds it, unless it is said how else. */
export function toDeployment(
  row: Row,
  found: Pick<Deployment, "alias" | "isCanary"> = { alias: null, isCanary: false },
): Deployment {
  return {
    ...toVersion(row),
    config: toConfig(row),
    configRevision: Number(row["config_revision"]),
    ...found,
  };
}

export function toAlias(row: Row): Alias {
  const canaryVersion = numberOrNull(row["canary_version"]);
  return {
    function: String(row["function"]),
    name: String(row["alias"]),
    version: Number(row["version"]),
    canary:
      canaryVersion === null
        ? null
        : {
            version: canaryVersion,
            share: Number(row["canary_share"]),
            guard: jsonOrNull<Guard>(row["guard_json"]),
            takenBack: jsonOrNull<TakenBack>(row["taken_back_json"]),
          },
    sticky: jsonOrNull<Sticky>(row["sticky_json"]),
    versionBefore: numberOrNull(row["version_before"]),
    revision: Number(row["revision"]),
    changedAtMs: Number(row["changed_at_ms"]),
  };
}

function numberOrNull(value: Row[string] | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function jsonOrNull<value>(text: Row[string] | undefined): value | null {
  return typeof text === "string" ? (JSON.parse(text) as value) : null;
}
