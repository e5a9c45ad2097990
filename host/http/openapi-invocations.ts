// Asynchronous calls in the OpenAPI document.

import { ok, operation } from "./openapi-parts.ts";

const text = { type: "string" };
const time = { type: ["string", "null"], format: "date-time" };
const states = { type: "string", enum: ["queued", "running", "succeeded", "failed"] };
const query = (name: string, schema: object) => ({ name, in: "query", required: false, schema });

const summary = {
  id: { type: "string", format: "uuid" },
  function: text,
  state: states,
  attempts: { type: "integer", minimum: 0 },
  createdAt: time,
  finishedAt: time,
  expiresAt: time,
  error: {
    type: ["object", "null"],
    properties: { code: text, message: text, lines: { type: "array", items: text } },
  },
};
const object = (properties: Record<string, object>) => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});
const answer = {
  type: ["object", "null"],
  required: ["status", "headers", "body_base64"],
  properties: {
    status: { type: "integer" },
    headers: { type: "object", additionalProperties: text },
    body_base64: text,
  },
};
const page = object({
  invocations: { type: "array", items: object(summary) },
  cursor: { type: ["string", "null"] },
});
const id = { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } };

export const invocationPaths = {
  "/v1/invocations": {
    get: {
      ...operation(
        "listInvocations",
        "Asynchronous calls in the order in which they came",
        ok("A page", page),
        ["bad_request"],
      ),
      parameters: [
        query("function", text),
        query("state", states),
        query("cursor", text),
        query("limit", { type: "integer", minimum: 1, maximum: 1_000 }),
      ],
    },
  },
  "/v1/invocations/{id}": {
    parameters: [id],
    get: operation(
      "getInvocation",
      "One of them, with its answer",
      ok("The call", object({ ...summary, answer })),
      ["invocation_not_found"],
    ),
    delete: operation(
      "removeInvocation",
      "Remove one that does not run",
      { 204: { description: "Removed" } },
      ["invocation_not_found", "event_running", "overloaded", "storage_full"],
    ),
  },
  "/v1/invocations/{id}/answer": {
    parameters: [id],
    get: operation(
      "getAnswer",
      "The body of the answer; its status is x-mayfly-answer-status",
      {
        200: {
          description: "The body",
          content: { "*/*": { schema: { type: "string", format: "binary" } } },
        },
      },
      ["invocation_not_found", "no_answer"],
    ),
  },
};
