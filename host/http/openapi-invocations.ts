// Asynchronous calls, and calls that ended lately, in the OpenAPI document.

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
const number = { type: ["number", "null"], minimum: 0 };
const count = { type: "integer", minimum: 0 };
const recent = object({
  id: text,
  invocationId: { type: ["string", "null"] },
  kind: { type: "string", enum: ["http", "internal", "event", "async"] },
  function: text,
  version: { type: ["integer", "null"] },
  alias: text,
  state: { type: "string", enum: ["succeeded", "failed"] },
  outcome: text,
  status: count,
  endedAt: time,
  wallMs: number,
  phases: { type: "object", additionalProperties: number },
  cpuMs: number,
  gbSeconds: number,
  hostCalls: count,
  bytesIn: count,
  bytesOut: count,
  traceId: { type: ["string", "null"] },
});
const page = {
  type: "object",
  required: ["invocations", "cursor"],
  properties: {
    invocations: { type: "array", items: { anyOf: [object(summary), recent] } },
    cursor: { type: ["string", "null"] },
    /** Calls that ended lately and were not kept. */
    skipped: count,
  },
};
const id = { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } };

export const invocationPaths = {
  "/v1/invocations": {
    get: {
      ...operation(
        "listInvocations",
        "Asynchronous calls in the order in which they came; with outcome, calls of every kind that ended lately, newest first",
        ok("A page", page),
        ["bad_request"],
      ),
      parameters: [
        query("function", text),
        query("state", states),
        query("outcome", { type: "string", description: "any, failed, ok, client_gone or an error code" }),
        query("cursor", text),
        query("limit", { type: "integer", minimum: 1, maximum: 1_000 }),
      ],
    },
  },
  "/v1/invocations/{id}": {
    parameters: [id],
    get: operation(
      "getInvocation",
      "One of them: an asynchronous call with its answer, or by its request id a call that ended lately",
      ok("The call", { anyOf: [object({ ...summary, answer }), recent] }),
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
