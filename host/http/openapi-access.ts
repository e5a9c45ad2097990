// Tokens, namespaces and the audit log in the OpenAPI document. Every other path of /v1 is also there under
// /v1/namespaces/{namespace}.

import { z } from "zod";
import { quotasSchema } from "../quotas.ts";
import { scopes, tokenSettingsSchema } from "../token.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const inputOf = (schema: z.ZodType): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
};

const path = (name: string) => ({ name, in: "path", required: true, schema: { type: "string" } });
const time = { type: ["string", "null"], format: "date-time" };

const tokenProperties = {
  id: { type: "string" },
  label: { type: "string" },
  scopes: { type: "array", items: { type: "string", enum: scopes } },
  names: { type: "array", items: { type: "string" } },
  namespace: { type: ["string", "null"], description: "Null: of all" },
  ratePerSecond: { type: "number" },
  rateBurst: { type: "integer" },
  createdAt: { type: "string", format: "date-time" },
  expiresAt: time,
  usedAt: time,
};
const token = { type: "object", required: Object.keys(tokenProperties), properties: tokenProperties };

const use = {
  type: "object",
  required: ["functions", "bytes", "kvBytes", "blobBytes"],
  additionalProperties: { type: "integer" },
};
const quotas = inputOf(quotasSchema);
const namespace = {
  type: "object",
  required: ["name", "quotas", "use", "createdAt"],
  properties: { name: { type: "string" }, quotas, use, createdAt: time },
};

const entry = {
  type: "object",
  required: ["id", "at", "who", "method", "target", "namespace", "requestId", "status", "before", "after"],
  properties: {
    id: { type: "integer" },
    at: { type: "string", format: "date-time" },
    who: {
      type: "string",
      description: "root, local (a loopback peer without a token), or token and its id",
    },
    method: { type: "string" },
    target: { type: "string" },
    namespace: { type: "string" },
    requestId: { type: "string" },
    status: { type: ["integer", "null"], description: "Null: the host ended before it was known" },
    before: { description: "What has changed of the resource, as it was" },
    after: { description: "What has changed of the resource, as it is" },
  },
};

const changing = ["overloaded", "storage_full"] as const;

export const accessPaths = {
  "/v1/tokens": {
    get: operation("listTokens", "Tokens, without themselves", ok("By age", list("tokens", token)), []),
    post: operation(
      "createToken",
      "Make a token; it is in this answer and in no other",
      {
        201: {
          description: "The token",
          content: json({
            allOf: [
              token,
              { type: "object", required: ["token"], properties: { token: { type: "string" } } },
            ],
          }),
        },
      },
      ["bad_request", "body_too_large", "quota_exceeded", ...changing],
      { required: true, content: json(inputOf(tokenSettingsSchema)) },
    ),
  },
  "/v1/tokens/{id}": {
    parameters: [path("id")],
    get: operation("getToken", "A token, without itself", ok("The token", token), ["token_not_found"]),
    delete: operation("revokeToken", "Revoke a token", { 204: { description: "It opens nothing now" } }, [
      "token_not_found",
      ...changing,
    ]),
  },
  "/v1/namespaces": {
    get: operation(
      "listNamespaces",
      "Namespaces with their quotas, and what they use of them",
      ok("By name", list("namespaces", namespace)),
      [],
    ),
  },
  "/v1/namespaces/{namespace}": {
    parameters: [path("namespace")],
    get: operation("getNamespace", "A namespace", ok("The namespace", namespace), [
      "invalid_name",
      "namespace_not_found",
    ]),
    put: operation(
      "putNamespace",
      "Make a namespace, or replace its quotas",
      {
        200: { description: "It was there", content: json(namespace) },
        201: { description: "It is new", content: json(namespace) },
      },
      ["invalid_name", "bad_request", "body_too_large", "quota_exceeded", ...changing],
      {
        required: true,
        content: json({ type: "object", additionalProperties: false, properties: { quotas } }),
      },
    ),
    delete: operation(
      "removeNamespace",
      "Remove a namespace that is empty, with its tokens",
      { 204: { description: "Removed" } },
      ["invalid_name", "namespace_not_found", "namespace_in_use", ...changing],
    ),
  },
  "/v1/audit": {
    get: {
      ...operation(
        "listAudit",
        "Who changed what, newest first",
        ok("A page", {
          type: "object",
          required: ["entries", "cursor"],
          properties: { entries: { type: "array", items: entry }, cursor: { type: ["string", "null"] } },
        }),
        ["bad_request"],
      ),
      parameters: [
        { name: "cursor", in: "query", required: false, schema: { type: "integer", minimum: 1 } },
        {
          name: "limit",
          in: "query",
          required: false,
          schema: { type: "integer", minimum: 1, maximum: 1_000 },
        },
      ],
    },
  },
};
