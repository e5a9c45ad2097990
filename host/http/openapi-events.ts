// Topics, triggers and events in the OpenAPI document. The schema of a trigger is the one that validates.

import { z } from "zod";
import { triggerSchema } from "../trigger.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const label = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
const path = (name: string) => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string", pattern: label },
});
const query = (name: string, schema: object) => ({ name, in: "query", required: false, schema });

const { $schema: _, ...settings } = z.toJSONSchema(triggerSchema, { io: "input" });
const replicationState = {
  type: "object",
  required: ["status", "since", "confirmedLsn", "lagBytes", "error"],
  properties: {
    status: { type: "string", enum: ["connecting", "connected", "waiting", "reconnecting"] },
    since: { type: "string", format: "date-time" },
    confirmedLsn: { type: ["string", "null"] },
    lagBytes: { type: ["integer", "null"] },
    error: {
      type: ["object", "null"],
      properties: { code: { type: "string" }, message: { type: "string" } },
    },
  },
};
const trigger = {
  allOf: [
    settings,
    {
      type: "object",
      required: ["id", "function"],
      properties: {
        id: { type: "string" },
        function: { type: "string" },
        database: { type: "string", description: "Of kind postgres: HOST:PORT/NAME" },
        slot: { type: "string" },
        state: replicationState,
      },
    },
  ],
};

const event = {
  type: "object",
  required: ["id", "function", "trigger", "state", "attempts", "createdAt", "dueAt", "error", "attributes"],
  properties: {
    id: { type: "integer" },
    function: { type: "string" },
    trigger: { type: "string" },
    state: { type: "string", enum: ["ready", "leased", "dead"] },
    attempts: { type: "integer" },
    createdAt: { type: "string", format: "date-time" },
    dueAt: { type: ["string", "null"], format: "date-time" },
    error: {
      type: ["object", "null"],
      properties: {
        code: { type: "string" },
        message: { type: "string" },
        lines: { type: "array", items: { type: "string" } },
      },
    },
    depth: { type: "integer" },
    attributes: { type: "object", additionalProperties: { type: "string" } },
    bytes: { type: "integer" },
    data_base64: { type: "string" },
  },
};

const redriven = { type: "object", required: ["redriven"], properties: { redriven: { type: "integer" } } };
const filter = [query("function", { type: "string" }), query("trigger", { type: "string" })];
const changes = ["overloaded", "storage_full"] as const;

export const eventPaths = {
  "/v1/topics/{topic}": {
    parameters: [path("topic")],
    post: operation(
      "publishEvents",
      "Publish events, in binary, structured or batched mode of CloudEvents 1.0",
      {
        202: {
          description: "They are durable",
          content: json({
            type: "object",
            required: ["ids", "deliveries"],
            properties: {
              ids: { type: "array", items: { type: "string" } },
              deliveries: { type: "integer" },
            },
          }),
        },
      },
      [
        "invalid_name",
        "invalid_event",
        "event_too_large",
        "body_too_large",
        "too_deep",
        "queue_full",
        "request_timeout",
        ...changes,
      ],
      {
        required: true,
        content: {
          "application/cloudevents+json": { schema: { type: "object" } },
          "application/cloudevents-batch+json": { schema: { type: "array", items: { type: "object" } } },
          "*/*": { schema: {} },
        },
      },
    ),
  },
  "/v1/functions/{name}/triggers": {
    parameters: [path("name")],
    get: operation(
      "listTriggers",
      "What starts a function besides HTTP",
      ok("By name", list("triggers", trigger)),
      ["invalid_name", "function_not_found"],
    ),
  },
  "/v1/functions/{name}/triggers/{trigger}": {
    parameters: [path("name"), path("trigger")],
    get: operation("getTrigger", "One trigger", ok("The trigger", trigger), [
      "invalid_name",
      "function_not_found",
      "trigger_not_found",
    ]),
    put: operation(
      "putTrigger",
      "Add a trigger, or replace the one of that name",
      { ...ok("Replaced", trigger), 201: { description: "Added", content: json(trigger) } },
      [
        "invalid_name",
        "invalid_trigger",
        "function_not_found",
        "body_too_large",
        "database_refused",
        "database_unreachable",
        ...changes,
      ],
      { required: true, content: json(settings) },
    ),
    delete: operation("removeTrigger", "Remove a trigger", { 204: { description: "Removed" } }, [
      "invalid_name",
      "function_not_found",
      "trigger_not_found",
      ...changes,
    ]),
  },
  "/v1/events": {
    get: {
      ...operation(
        "listEvents",
        "Deliveries that wait, run or were given up",
        ok("A page", list("events", event)),
        ["bad_request"],
      ),
      parameters: [
        query("state", { type: "string", enum: ["ready", "leased", "dead"] }),
        ...filter,
        query("cursor", { type: "string" }),
        query("limit", { type: "integer", minimum: 1, maximum: 1_000 }),
      ],
    },
  },
  "/v1/events/redrive": {
    post: {
      ...operation("redriveEvents", "Deliver dead letters anew", ok("How many", redriven), [
        "bad_request",
        ...changes,
      ]),
      parameters: filter,
    },
  },
  "/v1/events/{id}": {
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
    get: operation("getEvent", "One delivery with its data", ok("The delivery", event), ["event_not_found"]),
    delete: operation("dropEvent", "Drop a delivery", { 204: { description: "Dropped" } }, [
      "event_not_found",
      "event_running",
      ...changes,
    ]),
  },
  "/v1/events/{id}/redrive": {
    parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
    post: operation("redriveEvent", "Deliver a dead letter anew", ok("How many", redriven), [
      "event_not_found",
      ...changes,
    ]),
  },
};
