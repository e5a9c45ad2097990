// A tiny host for the tests of the command line: answers as a host does, from memory, and
// keeps what it was asked. It runs no functions; what /fn answers is up to the test.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseFunctionConfig } from "../../host/function.ts";

export type Received = {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
};

type Version = { readonly version: number; readonly digest: string; readonly bytes: number };
type Answer = (request: Received, response: ServerResponse) => unknown;

export type FakeHost = AsyncDisposable & {
  readonly url: string;
  readonly received: Received[];
  readonly functions: Map<string, { live: number; versions: Version[] }>;
  readonly configs: Map<string, Record<string, unknown>>;
  /** Open ?follow=1 streams. */
  readonly followers: Set<ServerResponse>;
  /** Answers instead of the host, while it is set. */
  answer: Answer | null;
  /** Answers calls of functions, while it is set. */
  call: Answer | null;
  token: string | null;
};

export const logLines = [
  { time: "2026-01-02T03:04:05.678Z", level: "info", requestId: "req-1", version: 1, message: "hello" },
  {
    time: "2026-01-02T03:04:06.000Z",
    level: "error",
    requestId: "req-2",
    version: 2,
    message: "bad \u001b[2Jthing\n2026-01-02T03:04:07.000Z INFO  v1 forged",
  },
];

export async function startFakeHost(): Promise<FakeHost> {
  const server = createServer((request, response) => void serve(host, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const host: FakeHost = {
    url: `http://127.0.0.1:${port}`,
    received: [],
    functions: new Map(),
    configs: new Map(),
    followers: new Set(),
    answer: null,
    call: null,
    token: null,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return host;
}

export function problem(
  response: ServerResponse,
  status: number,
  code: string,
  detail: string,
): ServerResponse {
  response.writeHead(status, { "content-type": "application/problem+json" });
  return response.end(JSON.stringify({ type: `/errors/${code}`, title: code, status, detail, code }));
}

async function serve(host: FakeHost, incoming: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const { method = "", url: target = "", headers } = incoming;
  const request: Received = { method, target, headers, body: await buffer(incoming) };
  host.received.push(request);
  if (host.answer !== null) return host.answer(request, response);
  if (host.call !== null && target.startsWith("/fn/")) return host.call(request, response);
  if (!target.startsWith("/v1/")) return problem(response, 404, "not_found", "No such route");
  if (headers.origin !== undefined || headers["sec-fetch-site"] !== undefined) {
    return problem(response, 403, "origin_refused", "A page called");
  }
  if (host.token !== null && headers.authorization !== `Bearer ${host.token}`) {
    return problem(response, 401, "unauthorized", "Send the host's token");
  }
  return serveControlPlane(host, request, response);
}

function serveControlPlane(host: FakeHost, request: Received, response: ServerResponse): ServerResponse {
  const [path = "", query = ""] = request.target.split("?");
  const [name = "", part = ""] = path.replace(/^\/v1\/(functions\/?)?/, "").split("/");
  if (path === "/v1/limits") return json(response, 200, {});
  if (name === "")
    return json(response, 200, { functions: [...host.functions.keys()].map((each) => record(host, each)) });
  if (part === "config") return serveConfig(host, name, request, response);
  if (request.method === "PUT") return deploy(host, name, request, response);
  const found = host.functions.get(name);
  if (found === undefined)
    return problem(response, 404, "function_not_found", `There is no function "${name}"`);
  if (part === "logs" && query.startsWith("follow=1")) return follow(host, query, response);
  if (part === "logs") return json(response, 200, { lines: logLines });
  if (part === "rollback") return rollback(host, name, request, response);
  if (request.method === "DELETE") {
    host.functions.delete(name);
    return response.writeHead(204).end();
  }
  return json(response, 200, record(host, name));
}

function serveConfig(
  host: FakeHost,
  name: string,
  request: Received,
  response: ServerResponse,
): ServerResponse {
  if (request.method === "PUT") {
    try {
      host.configs.set(name, parseFunctionConfig(JSON.parse(request.body.toString())));
    } catch (error) {
      return problem(response, 400, "invalid_config", error instanceof Error ? error.message : "");
    }
  }
  const config = host.configs.get(name);
  if (config === undefined && !host.functions.has(name)) {
    return problem(response, 404, "function_not_found", `There is no function "${name}"`);
  }
  return json(response, 200, config ?? parseFunctionConfig({}));
}

function deploy(host: FakeHost, name: string, request: Received, response: ServerResponse): ServerResponse {
  if (request.body.subarray(0, 4).toString("latin1") !== "\0asm") {
    return problem(response, 422, "invalid_module", "This is no WebAssembly module");
  }
  const digest = `sha256:${createHash("sha256").update(request.body).digest("hex")}`;
  const known = host.functions.get(name) ?? { live: 0, versions: [] };
  const same = known.versions.find((version) => version.digest === digest);
  const version = same?.version ?? known.versions.length + 1;
  if (same === undefined) known.versions.push({ version, digest, bytes: request.body.byteLength });
  known.live = version;
  host.functions.set(name, known);
  return json(response, same === undefined ? 201 : 200, record(host, name));
}

function rollback(host: FakeHost, name: string, request: Received, response: ServerResponse): ServerResponse {
  const { version } = JSON.parse(request.body.toString()) as { version: number };
  const known = host.functions.get(name);
  if (known === undefined || !known.versions.some((each) => each.version === version)) {
    return problem(response, 404, "function_not_found", `Function "${name}" has no version ${version}`);
  }
  known.live = version;
  return json(response, 200, record(host, name));
}

function follow(host: FakeHost, query: string, response: ServerResponse): ServerResponse {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(": welcome\n\n");
  for (const line of query.includes("lines=0") ? [] : logLines)
    response.write(`id: 1\r\ndata: ${JSON.stringify(line)}\r\n\r\n`);
  host.followers.add(response);
  return response.on("close", () => host.followers.delete(response));
}

function record(host: FakeHost, name: string) {
  const known = host.functions.get(name);
  const live = known?.versions.find((version) => version.version === known.live);
  return {
    name,
    ...live,
    abi: "assemblyscript",
    url: `${host.url}/fn/${name}`,
    createdAt: "2026-01-02T03:04:05.678Z",
  };
}

function json(response: ServerResponse, status: number, value: unknown): ServerResponse {
  response.writeHead(status, { "content-type": "application/json" });
  return response.end(JSON.stringify(value));
}
