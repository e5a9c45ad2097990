// GET /openapi.json: the control plane in OpenAPI 3.1. The configuration's schema is the one that
// validates; a test walks the document and calls what it describes.

import { z } from "zod";
import { errorTable } from "../errors.ts";
import { functionConfigSchema } from "../function.ts";
import { accessPaths } from "./openapi-access.ts";
import { blobPaths } from "./openapi-blobs.ts";
import { eventPaths } from "./openapi-events.ts";
import { invocationPaths } from "./openapi-invocations.ts";
import { kvPaths } from "./openapi-kv.ts";
import { observePaths } from "./openapi-observe.ts";
import { json, list, ok, open, operation, problem, ref } from "./openapi-parts.ts";
import { releasePaths } from "./openapi-releases.ts";
import { routePaths } from "./openapi-routes.ts";
import { secretPaths } from "./openapi-secrets.ts";

const nameParameter = {
  name: "name",
  in: "path",
  required: true,
  schema: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
};

const versionParameter = {
  name: "version",
  in: "query",
  required: false,
  schema: { type: "integer", minimum: 1 },
};

/** Of what is live. */
const canaryOf = {
  type: ["object", "null"],
  properties: { version: { type: "integer" }, percent: { type: "number" } },
};

/** The document, made anew at each request: it is asked for rarely and is small. */
export function openApiDocument() {
  const { $schema: _, ...config } = z.toJSONSchema(functionConfigSchema, { io: "input" });
  return {
    openapi: "3.1.0",
    info: {
      title: "Mayfly control plane",
      version: "1",
      description:
        "Every path of /v1 is about the namespace `default`, and is there for another one under /v1/namespaces/{namespace}, but for /v1/namespaces itself.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Config: config, ...schemas },
    },
    security: [{ token: [] }, {}],
    paths,
  };
}

const schemas = {
  Problem: {
    type: "object",
    required: ["type", "title", "status", "detail", "code", "requestId"],
    properties: {
      type: { type: "string" },
      title: { type: "string" },
      status: { type: "integer" },
      detail: { type: "string" },
      code: { type: "string", enum: Object.keys(errorTable) },
      requestId: { type: "string" },
    },
  },
  Version: {
    type: "object",
    required: [
      "name",
      "namespace",
      "version",
      "digest",
      "abi",
      "bytes",
      "createdAt",
      "fresh",
      "quarantined",
      "metered",
      "files",
    ],
    properties: {
      name: { type: "string" },
      namespace: { type: "string" },
      version: { type: "integer", minimum: 1 },
      digest: { type: "string", pattern: "^sha256:[0-9a-f]{64}$" },
      abi: { type: "string" },
      bytes: { type: "integer" },
      createdAt: { type: "string", format: "date-time" },
      fresh: {
        type: "object",
        description: "How calls get a fresh instance, and what each way costs in microseconds",
        required: ["by", "newUs", "resetUs"],
        properties: {
          by: { type: "string", enum: ["new", "reset"] },
          newUs: { type: ["number", "null"] },
          resetUs: { type: ["number", "null"] },
        },
      },
      quarantined: { type: "boolean" },
      metered: {
        type: "boolean",
        description: "False when it runs as uploaded, on threads of its own, as --allow-unmetered lets it",
      },
      files: {
        type: ["object", "null"],
        description: "The files it carries, in the form in which they are stored",
        required: ["digest", "bytes"],
        properties: {
          digest: { type: "string", pattern: "^sha256:[0-9a-f]{64}$" },
          bytes: { type: "integer" },
        },
      },
    },
  },
  Function: {
    allOf: [
      ref("Version"),
      {
        type: "object",
        required: ["url"],
        properties: { url: { type: "string" }, config: ref("Config"), canary: canaryOf },
      },
    ],
  },
  LogLine: {
    type: "object",
    required: ["time", "level", "requestId", "version", "message"],
    properties: {
      time: { type: "string", format: "date-time" },
      level: { type: "string", enum: ["debug", "info", "warn", "error"] },
      requestId: { type: "string" },
      version: { type: "integer" },
      message: { type: "string" },
    },
  },
};

const moduleBytes = { type: "string", contentMediaType: "application/wasm" };

const upload = {
  required: true,
  content: {
    "application/wasm": { schema: moduleBytes },
    "multipart/form-data": {
      schema: {
        type: "object",
        required: ["module"],
        properties: {
          module: moduleBytes,
          files: {
            type: "string",
            contentMediaType: "application/octet-stream",
            description: "A tar, tar.gz or zip archive of the files that the program finds under /",
          },
        },
      },
    },
  },
};

const paths = {
  "/v1/functions": {
    get: operation(
      "listFunctions",
      "All live functions",
      ok("By name", list("functions", ref("Function"))),
      [],
    ),
  },
  "/v1/functions/{name}": {
    parameters: [nameParameter],
    put: {
      ...operation(
        "deployFunction",
        "Upload a module and make it live, unless it is to be kept back",
        {
          200: {
            description: "The bytes of a kept version: it is live, unless live=false",
            content: json(ref("Function")),
          },
          201: { description: "A new version", content: json(ref("Function")) },
        },
        [
          "invalid_name",
          "bad_request",
          "request_timeout",
          "module_too_large",
          "files_too_large",
          "invalid_files",
          "unsupported_media_type",
          "invalid_module",
          "unknown_import",
          ["memory_exceeded", 422],
          "unsupported_feature",
          "start_failed",
          "unknown_abi",
          "overloaded",
          "storage_full",
          "no_live_version",
        ],
        upload,
      ),
      parameters: [
        { name: "live", in: "query", required: false, schema: { type: "boolean", default: true } },
      ],
    },
    get: operation("getFunction", "The live version", ok("The function", ref("Function")), [
      "invalid_name",
      "function_not_found",
    ]),
    delete: operation(
      "removeFunction",
      "Remove it with all its versions",
      { 204: { description: "Removed" } },
      ["invalid_name", "function_not_found", "overloaded"],
    ),
  },
  "/v1/functions/{name}/versions": {
    parameters: [nameParameter],
    get: operation("listVersions", "Kept versions", ok("Newest first", list("versions", ref("Version"))), [
      "invalid_name",
      "function_not_found",
    ]),
  },
  "/v1/functions/{name}/module": {
    parameters: [nameParameter, versionParameter],
    get: operation(
      "getModule",
      "The bytes of a version as they were uploaded; of the live one unless a version is named",
      { 200: { description: "The module", content: { "application/wasm": { schema: moduleBytes } } } },
      ["invalid_name", "bad_request", "function_not_found"],
    ),
  },
  "/v1/functions/{name}/files": {
    parameters: [nameParameter, versionParameter],
    get: operation(
      "getFiles",
      "The files that a version carries; of the live one unless a version is named",
      {
        200: {
          description: "In the form in which they are stored, which an upload takes in its field files",
          content: { "application/octet-stream": { schema: { type: "string" } } },
        },
        204: { description: "It carries none" },
      },
      ["invalid_name", "bad_request", "function_not_found"],
    ),
  },
  "/v1/functions/{name}/config": {
    parameters: [nameParameter],
    get: operation("getConfig", "Effective configuration", ok("A valid PUT body", ref("Config")), [
      "invalid_name",
    ]),
    put: operation(
      "putConfig",
      "Replace the whole configuration",
      ok("The effective configuration", ref("Config")),
      ["invalid_name", "invalid_config", "body_too_large", "overloaded"],
      { required: true, content: json(ref("Config")) },
    ),
  },
  ...releasePaths,
  ...routePaths,
  "/v1/functions/{name}/unquarantine": {
    parameters: [nameParameter],
    post: operation(
      "unquarantineFunction",
      "Let the live version run again",
      ok("The function", ref("Function")),
      ["invalid_name", "function_not_found", "overloaded"],
    ),
  },
  "/v1/functions/{name}/logs": {
    parameters: [nameParameter],
    get: operation(
      "getLogs",
      "Recent log lines, oldest first; with follow=1 a stream of server-sent events",
      ok("Lines", list("lines", ref("LogLine"))),
      ["invalid_name", "bad_request", "function_not_found"],
    ),
  },
  ...secretPaths,
  ...accessPaths,
  ...kvPaths,
  ...blobPaths,
  ...eventPaths,
  ...invocationPaths,
  ...observePaths,
  "/v1/backup": {
    post: operation(
      "makeBackup",
      "Everything that the host keeps, keys and logs apart, as it is now: a tar archive with manifest.json last",
      {
        200: {
          description: "An archive; one without manifest.json was cut off",
          content: {
            "application/x-tar": { schema: { type: "string", contentMediaType: "application/x-tar" } },
          },
        },
      },
      ["backup_running", "overloaded", "storage_full"],
    ),
  },
  "/healthz": { get: open("getHealth", "The host process answers", ok("Live", { type: "object" })) },
  "/readyz": {
    get: open("getReadiness", "The host takes calls", {
      ...ok("Ready", { type: "object" }),
      ...problem("overloaded"),
    }),
  },
  "/metrics": {
    get: operation(
      "getMetrics",
      "Counts, times and gauges for Prometheus",
      { 200: { description: "Metrics", content: { "text/plain": { schema: { type: "string" } } } } },
      [],
    ),
  },
  "/openapi.json": { get: open("getOpenApi", "This document", ok("OpenAPI 3.1", { type: "object" })) },
  "/v1/limits": {
    get: operation(
      "getLimits",
      "Every limit of the host, with unit and reason",
      ok("By name", { type: "object" }),
      [],
    ),
  },
};
