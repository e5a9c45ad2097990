// The routes about the host itself: limits, health, metrics, the OpenAPI document, and every error of routing.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import type { errorTable } from "../../host/errors.ts";
import { limits, limitTable } from "../../host/limits.ts";
import { answering } from "../support/guests.ts";
import { RawConnection, rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("hello", answering("hello"));

test("/v1/limits shows every limit with its value and unit", async () => {
  const answer = await host.ask("GET", "/v1/limits");
  assert.equal(answer.status, 200);
  const shown = (answer.json() as { limits: Record<string, { value: number; unit: string }> }).limits;
  assert.deepEqual(Object.keys(shown).sort(), Object.keys(limitTable).sort());
  for (const [name, { value, unit }] of Object.entries(shown)) {
    assert.equal(value, limits[name as keyof typeof limits]);
    assert.ok(Number.isFinite(value) && unit.length > 0, name);
  }
});

test("/healthz is live and /readyz is ready", async () => {
  assert.equal((await host.ask("GET", "/healthz")).status, 200);
  assert.equal((await host.ask("GET", "/readyz")).status, 200);
  assert.equal((await host.ask("HEAD", "/healthz")).bytes.length, 0);
});

test("/healthz answers HTTP/1.0 without a Host, and the control plane does not", async () => {
  const status = async (path: string) => (await rawAsk(host.port, `GET ${path} HTTP/1.0\r\n\r\n`))?.status;
  assert.equal(await status("/healthz"), 200);
  assert.equal(await status("/readyz"), 200);
  assert.equal(await status("/v1/functions"), 403);
});

test("/metrics is Prometheus text and counts calls and uploads by outcome", async () => {
  const count = async (line: string): Promise<number> => {
    const { text } = await host.ask("GET", "/metrics");
    return Number(
      text
        .split("\n")
        .find((row) => row.startsWith(`${line} `))
        ?.split(" ")[1] ?? 0,
    );
  };
  const before = await count('mayfly_calls_total{outcome="ok"}');
  await host.call("hello");
  await host.call("hello");
  await host.call("absent");
  await host.upload("broken", Buffer.from("x"));
  assert.equal(await count('mayfly_calls_total{outcome="ok"}'), before + 2);
  assert.ok((await count('mayfly_calls_total{outcome="function_not_found"}')) >= 1);
  assert.ok((await count('mayfly_deploys_total{outcome="invalid_module"}')) >= 1);
  const answer = await host.ask("GET", "/metrics");
  assert.match(answer.header("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  for (const line of answer.text.split("\n").filter((row) => row !== "" && !row.startsWith("#"))) {
    assert.match(line, /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? (-?[\d.e+-]+|[+-]?Inf|NaN)$/i);
  }
});

test("a path that is no route is not_found", async () => {
  for (const path of ["/", "/v1", "/v1/", "/v1/nope", "/v1/functions/a/b/c", "/fn", "/favicon.ico", "//"]) {
    assertProblem(await host.ask("GET", path), 404, "not_found");
  }
});

test("a method that the route does not take is method_not_allowed and names those it takes", async () => {
  for (const [method, path, allow] of [
    ["POST", "/v1/functions", "GET, HEAD"],
    ["PATCH", "/v1/functions/hello", "DELETE, GET, HEAD, PUT"],
    ["DELETE", "/v1/functions/hello/config", "GET, HEAD, PUT"],
    ["GET", "/v1/functions/hello/rollback", "POST"],
    ["POST", "/healthz", "GET, HEAD"],
    ["PUT", "/v1/limits", "GET, HEAD"],
  ] as const) {
    const answer = await host.ask(method, path);
    assertProblem(answer, 405, "method_not_allowed");
    // RFC 9110, section 15.5.6: a 405 must carry Allow.
    assert.deepEqual(answer.header("allow")?.split(", ").sort().join(", "), allow, `${method} ${path}`);
  }
});

test("a connection stays of use after errors of either plane", async () => {
  const connection = await RawConnection.open(host.port);
  try {
    const request = (line: string): string => `${line} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    for (const [line, status] of [
      ["GET /fn/absent", 404],
      ["GET /v1/functions/absent", 404],
      ["GET /fn/A", 400],
      ["TRACE /fn/hello", 405],
      ["GET /fn/hello", 200],
    ] as const) {
      const answer = await connection.write(request(line)).answer();
      assert.equal(answer?.status, status, line);
    }
    // Longer than the second after which a half-read request's connection is dropped.
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    const answer = await connection.write(request("GET /fn/hello")).answer();
    assert.equal(answer?.body.toString(), "hello");
  } finally {
    connection.close();
  }
});

type Operation = {
  operationId: string;
  responses: Record<string, { description: string }>;
  requestBody?: unknown;
};
type Document = { openapi: string; paths: Record<string, Record<string, Operation>> };

test("each operation of /openapi.json exists and answers with a status and a code that it lists", async () => {
  const document = (await host.ask("GET", "/openapi.json")).json() as Document;
  assert.match(document.openapi, /^3\.1\./);
  const called: string[] = [];
  for (const [template, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!["get", "put", "post", "delete"].includes(method)) continue;
      const names = template.includes("{") ? ["hello", "absent", "BAD"] : [""];
      for (const name of names) {
        if (operation.operationId === "removeFunction" && name === "hello") continue;
        const body = operation.requestBody === undefined ? {} : { body: "{" };
        const answer = await host.ask(method.toUpperCase(), template.replaceAll(/\{\w+\}/g, name), body);
        const listed = operation.responses[String(answer.status)];
        assert.ok(listed !== undefined, `${method} ${template} answers ${answer.status}: ${answer.text}`);
        if (answer.status >= 400) {
          const { code } = answer.json() as { code: keyof typeof errorTable };
          assert.ok(listed.description.split(", ").includes(code), `${method} ${template} answers ${code}`);
        }
      }
      called.push(operation.operationId);
    }
  }
  assert.equal(new Set(called).size, called.length, "operation ids are unique");
  assert.ok(called.length >= 15, called.join());
});

test("/openapi.json refers to schemas that it has", async () => {
  const { text } = await host.ask("GET", "/openapi.json");
  const document = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
  for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(document.components.schemas[name] !== undefined, name);
  }
});

test("a version's module is answered as it was uploaded, and what is not there is told apart", async () => {
  const again = answering("hello again");
  await host.deploy("twice", answering("hello"));
  await host.deploy("twice", again);
  const path = "/v1/functions/twice/module";
  const live = await host.ask("GET", path);
  assert.equal(live.header("content-type"), "application/wasm");
  assert.deepEqual(Buffer.from(live.bytes), Buffer.from(again));
  assert.deepEqual(
    Buffer.from((await host.ask("GET", `${path}?version=1`)).bytes),
    Buffer.from(answering("hello")),
  );
  assertProblem(await host.ask("GET", `${path}?version=9`), 404, "function_not_found");
  assertProblem(await host.ask("GET", `${path}?version=x`), 400, "bad_request");
});
