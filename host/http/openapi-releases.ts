// Aliases, promotion and the way back in the OpenAPI document.

import { json, list, ok, operation, ref } from "./openapi-parts.ts";

const name = {
  name: "name",
  in: "path",
  required: true,
  schema: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
};
const aliasId = { ...name, name: "alias" };
const ifMatch = { name: "if-match", in: "header", required: false, schema: { type: "string" } };

const version = { type: "integer", minimum: 1 };
const percent = { type: "number", minimum: 0, maximum: 100, multipleOf: 0.01 };
const versions = {
  type: "array",
  minItems: 1,
  maxItems: 2,
  description: "The second is the canary; the percentages sum to 100",
  items: {
    type: "object",
    required: ["version", "percent"],
    additionalProperties: false,
    properties: { version, percent },
  },
};
const sticky = {
  type: ["object", "null"],
  description: "The header or the cookie whose value decides which of two versions a call runs",
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: { header: { type: "string" }, cookie: { type: "string" } },
};
const guard = {
  type: ["object", "null"],
  description: "Bounds at which the canary is taken back, of its calls within the window",
  additionalProperties: false,
  properties: {
    errorPercentMax: { type: ["number", "null"], minimum: 0, maximum: 100 },
    p99MsMax: { type: ["number", "null"], minimum: 1, maximum: 900_000 },
    callsMin: { type: "integer", minimum: 1, maximum: 1_000_000, default: 100 },
    windowMs: { type: "integer", minimum: 1_000, maximum: 3_600_000, default: 60_000 },
  },
};

const split = {
  type: "object",
  description: "Either version or versions",
  additionalProperties: false,
  properties: { version, versions, sticky, guard },
};

const alias = {
  type: "object",
  required: [
    "function",
    "alias",
    "versions",
    "sticky",
    "guard",
    "takenBack",
    "versionBefore",
    "changedAt",
    "url",
  ],
  properties: {
    function: { type: "string" },
    alias: { type: "string" },
    versions,
    sticky,
    guard,
    takenBack: {
      type: ["object", "null"],
      properties: { at: { type: "string", format: "date-time" }, reason: { type: "string" } },
    },
    versionBefore: { type: ["integer", "null"] },
    changedAt: { type: "string", format: "date-time" },
    url: { type: "string", format: "uri" },
  },
};

const named = ["invalid_name", "function_not_found"] as const;
const changed = [...named, "alias_not_found", "overloaded", "storage_full"] as const;
const body = (properties: object) => ({
  required: true,
  content: json({ type: "object", additionalProperties: false, properties }),
});

export const releasePaths = {
  "/v1/functions/{name}/aliases": {
    parameters: [name],
    get: operation("listAliases", "Aliases of a function", ok("By name", list("aliases", alias)), named),
  },
  "/v1/functions/{name}/aliases/{alias}": {
    parameters: [name, aliasId],
    get: operation("getAlias", "What an alias leads to; its revision is the ETag", ok("The alias", alias), [
      ...named,
      "alias_not_found",
    ]),
    put: {
      ...operation(
        "putAlias",
        "Lead an alias to a version, or split its calls between two",
        { ...ok("It was there", alias), 201: { description: "It is new", content: json(alias) } },
        [...changed, "invalid_alias", "precondition_failed", "unsupported_feature"],
        { required: true, content: json(split) },
      ),
      parameters: [ifMatch],
    },
    delete: {
      ...operation("removeAlias", "Remove an alias other than live", { 204: { description: "Removed" } }, [
        ...changed,
        "invalid_alias",
        "precondition_failed",
      ]),
      parameters: [ifMatch],
    },
  },
  "/v1/functions/{name}/promote": {
    parameters: [name],
    post: operation(
      "promoteCanary",
      "Give the canary of an alias all calls",
      ok("The function", ref("Function")),
      [...changed, "bad_request", "no_canary"],
      body({ alias: { type: "string", default: "live" } }),
    ),
  },
  "/v1/functions/{name}/rollback": {
    parameters: [name],
    post: operation(
      "rollbackFunction",
      "Make a kept version live; without one end a split, or go back to the version before",
      ok("The function", ref("Function")),
      [...changed, "bad_request", "no_version_before", "unsupported_feature"],
      body({ version, alias: { type: "string", default: "live" } }),
    ),
  },
};
