// The key-value stores in the OpenAPI document. A key may hold slashes, which OpenAPI has no way to say.

import { limits } from "../limits.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const path = (name: string, schema: object) => ({ name, in: "path", required: true, schema });
const query = (name: string, schema: object) => ({ name, in: "query", required: false, schema });
const header = (name: string) => ({ name, in: "header", required: false, schema: { type: "string" } });

const storeParameter = path("store", { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" });
const keyParameter = path("key", { type: "string", minLength: 1, maxLength: limits.kvKeyBytesMax });

const bytes = { "application/octet-stream": { schema: { type: "string", format: "binary" } } };
const address = ["invalid_name", "invalid_key"] as const;
const conditions = [header("if-match"), header("if-none-match")];

const change = {
  type: "object",
  required: ["version"],
  properties: { version: { type: "integer", minimum: 1 } },
};

const store = {
  type: "object",
  required: ["store", "keys", "bytes"],
  properties: { store: { type: "string" }, keys: { type: "integer" }, bytes: { type: "integer" } },
};

const listedKey = {
  type: "object",
  required: ["key", "bytes", "version", "expiresAt"],
  properties: {
    key: { type: "string" },
    bytes: { type: "integer" },
    version: { type: "integer", minimum: 1 },
    expiresAt: { type: ["string", "null"], format: "date-time" },
  },
};

const page = {
  type: "object",
  required: ["keys", "cursor"],
  properties: { keys: { type: "array", items: listedKey }, cursor: { type: ["string", "null"] } },
};

export const kvPaths = {
  "/v1/kv": {
    get: operation("listStores", "Stores that have keys", ok("By name", list("stores", store)), []),
  },
  "/v1/kv/{store}": {
    parameters: [storeParameter],
    get: {
      ...operation("listKeys", "Keys in the order of their bytes", ok("A page", page), [
        ...address,
        "bad_request",
      ]),
      parameters: [
        query("prefix", { type: "string" }),
        query("cursor", { type: "string" }),
        query("limit", { type: "integer", minimum: 1, maximum: limits.kvListMax }),
      ],
    },
  },
  "/v1/kv/{store}/{key}": {
    parameters: [storeParameter, keyParameter],
    get: {
      ...operation(
        "getValue",
        "The value of a key; its version is the ETag",
        {
          200: { description: "The value", content: bytes },
          304: { description: "It is the version that If-None-Match names" },
        },
        [...address, "key_not_found", "precondition_failed"],
      ),
      parameters: [header("if-match"), header("if-none-match")],
    },
    put: {
      ...operation(
        "setValue",
        "Set the value of a key",
        {
          200: { description: "It was there", content: json(change) },
          201: { description: "It is new", content: json(change) },
        },
        [
          ...address,
          "bad_request",
          "request_timeout",
          "precondition_failed",
          "queue_full",
          "value_too_large",
          "overloaded",
          "storage_full",
        ],
        { required: true, content: bytes },
      ),
      parameters: [query("ttl", { type: "number", minimum: 0 }), ...conditions],
    },
    post: {
      ...operation(
        "incrementValue",
        "Add to the number that is the value of a key",
        ok("The sum", { type: "object", required: ["value"], properties: { value: { type: "string" } } }),
        [...address, "bad_request", "not_a_number", "queue_full", "overloaded", "storage_full"],
      ),
      parameters: [query("increment", { type: "string", pattern: "^-?[0-9]{1,19}$" })],
    },
    delete: {
      ...operation("deleteValue", "Delete a key", { 204: { description: "Deleted" } }, [
        ...address,
        "bad_request",
        "key_not_found",
        "precondition_failed",
        "overloaded",
        "storage_full",
      ]),
      parameters: conditions,
    },
  },
};
