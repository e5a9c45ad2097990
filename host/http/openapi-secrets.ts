// Secrets in the OpenAPI document: values go in, and no answer has one.

import { limits } from "../limits.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const path = (name: string, pattern: string) => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string", pattern },
});

const nameParameter = path("name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
const secretParameter = path("secret", "^[A-Za-z_][A-Za-z0-9_]{0,127}$");

const secret = {
  type: "object",
  required: ["name", "createdAt", "updatedAt"],
  properties: {
    name: { type: "string" },
    createdAt: { type: "string", format: "date-time" },
    updatedAt: { type: "string", format: "date-time" },
  },
};

export const secretPaths = {
  "/v1/functions/{name}/secrets": {
    parameters: [nameParameter],
    get: operation("listSecrets", "Names of a function's secrets", ok("By name", list("secrets", secret)), [
      "invalid_name",
    ]),
  },
  "/v1/functions/{name}/secrets/{secret}": {
    parameters: [nameParameter, secretParameter],
    put: operation(
      "setSecret",
      "Give a function a secret, before its first version too; the body is the value, as text",
      {
        200: { description: "It had one of that name", content: json(secret) },
        201: { description: "It is new", content: json(secret) },
      },
      [
        "invalid_name",
        "bad_request",
        "request_timeout",
        "secret_too_large",
        "secret_not_found",
        "quota_exceeded",
        "overloaded",
        "storage_full",
      ],
      {
        required: true,
        content: {
          "text/plain": { schema: { type: "string", minLength: 1, maxLength: limits.secretBytesMax } },
        },
      },
    ),
    delete: operation("removeSecret", "Take a secret away", { 204: { description: "Removed" } }, [
      "invalid_name",
      "secret_not_found",
      "overloaded",
      "storage_full",
    ]),
  },
};
