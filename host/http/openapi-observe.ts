// Usage and traffic in the OpenAPI document.

import { usageKeys } from "../services/usage-reports.ts";
import { ok, operation } from "./openapi-parts.ts";

const text = { type: "string" };
const number = { type: "number", minimum: 0 };
const count = { type: "integer", minimum: 0 };
const time = { type: "string", format: "date-time" };
const decimal = { type: "string", pattern: "^\\d+(\\.\\d+)?$" };
const query = (name: string, schema: object, description: string) => ({
  name,
  in: "query",
  required: false,
  description,
  schema,
});
const object = (properties: Record<string, object>, more: Record<string, object> = {}) => ({
  type: "object",
  required: Object.keys(properties),
  properties: { ...properties, ...more },
});

const costNames = ["calls", "cpu", "wall", "memory", "bytesIn", "bytesOut", "hostCalls", "total"];
const usageRow = object(
  {
    calls: count,
    cpuMs: number,
    wallMs: number,
    waitMs: number,
    gbSeconds: number,
    bytesIn: count,
    bytesOut: count,
    hostCalls: count,
    outcomes: { type: "object", additionalProperties: count },
  },
  {
    ...Object.fromEntries(usageKeys.map((key) => [key, key === "version" ? count : text])),
    cost: object(Object.fromEntries(costNames.map((name) => [name, decimal]))),
  },
);
const usage = object(
  {
    from: time,
    to: time,
    rows: { type: "array", items: usageRow },
    total: usageRow,
    gaps: { type: "array", items: object({ from: time, to: time }) },
  },
  { currency: text },
);

const milliseconds = { type: ["number", "null"], minimum: 0 };
const series = {
  calls: count,
  callsPerSecond: number,
  errors: object({ caller: count, guest: count, host: count, clientGone: count }),
  p50Ms: milliseconds,
  p99Ms: milliseconds,
  cpuMs: number,
  waitMs: number,
  memoryBytes: count,
  bytesIn: count,
  bytesOut: count,
  hostCalls: count,
};
const traffic = object({
  from: time,
  seconds: number,
  host: object({ liveCalls: count, waitingCalls: count, threads: count, guestBytes: count }),
  total: object(series),
  functions: { type: "array", items: object({ function: text, ...series }) },
});

export const observePaths = {
  "/v1/usage": {
    get: {
      ...operation(
        "getUsage",
        "What calls used, summed up, and what that costs",
        {
          200: {
            description: "The sums",
            content: { "application/json": { schema: usage }, "text/csv": { schema: text } },
          },
        },
        ["bad_request", "storage_full"],
      ),
      parameters: [
        query("function", text, "of one function"),
        query("namespace", text, "of one namespace"),
        query(
          "from",
          text,
          "a day or a time, rounded down to its hour; the beginning of this month unless given",
        ),
        query("to", text, "rounded up to the end of its hour; now unless given"),
        query("by", text, `what sums are told apart by: some of ${usageKeys.join(", ")}, with commas`),
        query("format", { type: "string", enum: ["json", "csv"] }, "or by Accept"),
      ],
    },
  },
  "/v1/traffic": {
    get: {
      ...operation(
        "watchTraffic",
        "What functions do from now on, for some seconds",
        ok("The sums", traffic),
        ["bad_request", "overloaded"],
      ),
      parameters: [
        query("seconds", { type: "number", minimum: 0.1, maximum: 60 }, "how long; 1 unless given"),
        query(
          "limit",
          { type: "integer", minimum: 1, maximum: 1_000 },
          "functions, those with the most calls",
        ),
      ],
    },
  },
};
