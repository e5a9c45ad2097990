// Routes in the OpenAPI document; a route's schema is the one that validates.

import { z } from "zod";
import { routeSettingsSchema } from "../route.ts";
import { json, list, ok, operation } from "./openapi-parts.ts";

const { $schema: _, ...settings } = z.toJSONSchema(routeSettingsSchema, { io: "input" });

const route = {
  allOf: [
    settings,
    {
      type: "object",
      required: ["id", "changedAt"],
      properties: { id: { type: "string" }, changedAt: { type: "string", format: "date-time" } },
    },
  ],
};

const routeParameter = {
  name: "route",
  in: "path",
  required: true,
  schema: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
};

export const routePaths = {
  "/v1/routes": {
    get: operation("listRoutes", "Routes", ok("By name", list("routes", route)), []),
  },
  "/v1/routes/{route}": {
    parameters: [routeParameter],
    get: operation("getRoute", "A route", ok("The route", route), ["invalid_name", "route_not_found"]),
    put: operation(
      "putRoute",
      "Give a function a path or host name of its own, or answer there",
      { ...ok("It was there", route), 201: { description: "It is new", content: json(route) } },
      [
        "invalid_name",
        "invalid_route",
        "function_not_found",
        "route_conflict",
        "route_reserved",
        "overloaded",
        "storage_full",
      ],
      { required: true, content: json(settings) },
    ),
    delete: operation("removeRoute", "Remove a route", { 204: { description: "Removed" } }, [
      "invalid_name",
      "route_not_found",
      "overloaded",
      "storage_full",
    ]),
  },
};
