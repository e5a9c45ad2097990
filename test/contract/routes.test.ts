// Routes: own paths and host names of functions, fixed answers, CORS and cached answers, over HTTP.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { answering, mirror } from "../support/guests.ts";
import type { Ask } from "../support/http-client.ts";
import { readRequestMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start({ hostNames: ["mayfly.example"] });
  await host.deploy("mirror", mirror());
  await host.deploy("one", answering("one"));
  await host.deploy("two", answering("two"));
});
after(() => host.close());

const put = (id: string, value: unknown) => host.send("PUT", `/v1/routes/${id}`, value);
async function route(id: string, value: object): Promise<void> {
  const answer = await put(id, value);
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
}
const get = (name: string, path: string, rest: Ask = {}) =>
  host.ask("GET", path, { ...rest, headers: { host: name, ...rest.headers } });

test("a path of one's own calls the function, which gets the path as sent, the route and its parameters", async () => {
  const created = await put("users", { pattern: "/api/users/:id/:rest", function: "mirror" });
  assert.equal(created.status, 201, created.text);
  const answer = await host.ask("POST", "/api/users/a%2Fb/x+y?q=1", {
    body: "body",
    headers: { "x-mayfly-route": "forged", "x-mayfly-route-params": "id=forged", "x-other": "kept" },
  });
  const seen = readRequestMessage(answer.bytes);
  assert.deepEqual([seen.method, seen.path, seen.query], ["POST", "/api/users/a%2Fb/x+y", "q=1"]);
  const headers = new Map(seen.headers);
  assert.equal(headers.get("x-mayfly-route"), "users");
  assert.equal(headers.get("x-mayfly-route-params"), "id=a%2Fb&rest=x%2By");
  assert.equal(headers.get("x-other"), "kept");
  assert.equal(seen.headers.filter(([name]) => name.startsWith("x-mayfly-route")).length, 2);
  const { changedAt, ...shown } = (await host.ask("GET", "/v1/routes/users")).json() as Record<
    string,
    unknown
  >;
  assert.match(String(changedAt), /^\d{4}-/);
  assert.deepEqual(shown, { id: "users", pattern: "/api/users/:id/:rest", function: "mirror", cache: false });
});

test("a host name of one's own belongs to its routes, paths that are the host's elsewhere too", async () => {
  await route("site", { pattern: "www.example.com/*", function: "one" });
  await route("site-two", { pattern: "www.example.com/v1/*", function: "two" });
  assert.equal((await get("www.example.com", "/")).text, "one");
  assert.equal((await get("WWW.example.com:80", "/any/path")).text, "one");
  assert.equal((await get("www.example.com", "/v1/functions")).text, "two");
  assert.equal((await get("www.example.com", "/healthz")).text, "one");
  // Another name is what it was before.
  assertProblem(await get("other.example.com", "/v1/functions"), 403, "origin_refused");
  assertProblem(await get("other.example.com", "/any"), 404, "not_found");
  assert.equal((await get("other.example.com", "/fn/two")).text, "two");
});

test("a route for any host takes nothing that is the host's own, nor a function's name", async () => {
  await route("rest", { pattern: "/*", function: "one" });
  assert.equal((await host.ask("GET", "/anything")).text, "one");
  assert.equal((await host.ask("GET", "/v1/limits")).status, 200);
  assert.equal((await host.ask("GET", "/healthz")).text, '{"status":"live"}');
  assert.equal((await host.ask("GET", "/fn/two")).text, "two");
  assertProblem(await host.ask("GET", "/fn/absent"), 404, "function_not_found");
  assertProblem(await get("other.example.com", "/v1/functions"), 403, "origin_refused");
  assert.equal((await get("two.localhost", "/anything")).text, "two");
  assert.equal((await host.ask("DELETE", "/v1/routes/rest")).status, 204);
  assertProblem(await host.ask("GET", "/anything"), 404, "not_found");
});

test("a route pins a version or an alias", async () => {
  await host.deploy("pinned", answering("v1"));
  await host.deploy("pinned", answering("v2"));
  await route("pinned", { pattern: "/pinned", function: "pinned", pin: "1" });
  assert.equal((await host.ask("GET", "/pinned")).text, "v1");
  await route("pinned", { pattern: "/pinned", function: "pinned", pin: "staging" });
  assertProblem(await host.ask("GET", "/pinned"), 404, "function_not_found");
  await host.send("PUT", "/v1/functions/pinned/aliases/staging", { version: 2 });
  assert.equal((await host.ask("GET", "/pinned")).text, "v2");
});

test("a redirect and a fixed response need no function", async () => {
  await route("old", { pattern: "/old/*", redirect: { to: "https://new.example/", status: 301 } });
  const moved = await host.ask("POST", "/old/page", { body: "read away" });
  assert.deepEqual([moved.status, moved.header("location"), moved.text], [301, "https://new.example/", ""]);
  assert.match(moved.header("x-mayfly-request-id") ?? "", /^[0-9a-f-]{36}$/);
  const response = { status: 404, headers: { "content-type": "text/plain" }, body: "naught" };
  await route("robots", { pattern: "/robots.txt", response });
  const fixed = await host.ask("GET", "/robots.txt?x=1");
  assert.deepEqual([fixed.status, fixed.header("content-type"), fixed.text], [404, "text/plain", "naught"]);
  const head = await host.ask("HEAD", "/robots.txt");
  assert.deepEqual([head.status, head.header("content-length"), head.text], [404, "6", ""]);
});

test("a route that takes the requests of another one is refused, and the answer names that", async () => {
  await route("first", { pattern: "/conflict/:a", function: "one" });
  const answer = await put("second", { pattern: "/conflict/:b", function: "two" });
  assertProblem(answer, 409, "route_conflict");
  assert.match((answer.json() as { detail: string }).detail, /the route "first" takes the same requests/);
  assert.equal((await host.ask("GET", "/conflict/x")).text, "one");
  await route("second", { pattern: "/conflict/b", function: "two" });
  assert.equal((await host.ask("GET", "/conflict/b")).text, "two");
  assertProblem(await put("second", { pattern: "/conflict/:c", function: "two" }), 409, "route_conflict");
  assert.equal((await host.ask("GET", "/conflict/b")).text, "two");
  await route("first", { pattern: "/moved/:a", function: "one" });
  assertProblem(await host.ask("GET", "/conflict/x"), 404, "not_found");
  assert.equal((await host.ask("GET", "/moved/x")).text, "one");
});

for (const pattern of [
  "/v1/*",
  "/v1",
  "/v1/functions/:name",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/fn/*",
  "/fn/one",
  "localhost/v1/*",
  "mayfly.example/healthz",
  "one.localhost/*",
  "*.localhost/*",
]) {
  test(`the route ${pattern} is refused: it is the host's own`, async () => {
    assertProblem(await put("shadow", { pattern, function: "one" }), 409, "route_reserved");
  });
}

const bad: readonly (readonly [string, unknown])[] = [
  ["no pattern", { function: "one" }],
  ["no path", { pattern: "example.com", function: "one" }],
  ["an upper-case host", { pattern: "Example.com/", function: "one" }],
  ["a port", { pattern: "example.com:80/", function: "one" }],
  ["an address", { pattern: "127.0.0.1/", function: "one" }],
  ["a wildcard inside a host", { pattern: "a.*.com/", function: "one" }],
  ["a bare wildcard host", { pattern: "*/x", function: "one" }],
  ["* before the end", { pattern: "/a/*/b", function: "one" }],
  ["* within a segment", { pattern: "/a*", function: "one" }],
  ["a parameter without a name", { pattern: "/:", function: "one" }],
  ["a parameter of part of a segment", { pattern: "/:id.json", function: "one" }],
  ["a parameter twice", { pattern: "/:id/:id", function: "one" }],
  ["a query", { pattern: "/a?b", function: "one" }],
  ["a space", { pattern: "/a b", function: "one" }],
  ["what is not sent so", { pattern: "/%c3%a9", function: "one" }],
  ["dot segments", { pattern: "/a/../b", function: "one" }],
  ["too many segments", { pattern: `/${"a/".repeat(40)}`, function: "one" }],
  ["nothing to do", { pattern: "/a" }],
  ["two things to do", { pattern: "/a", function: "one", redirect: { to: "/b" } }],
  ["a name that is none", { pattern: "/a", function: "No" }],
  ["a pin that is none", { pattern: "/a", function: "one", pin: "0" }],
  ["a cached redirect", { pattern: "/a", redirect: { to: "/b" }, cache: true }],
  ["a redirect to a script", { pattern: "/a", redirect: { to: "javascript:alert(1)" } }],
  ["a redirect to another host in disguise", { pattern: "/a", redirect: { to: "//evil.example" } }],
  ["a redirect that splits the head", { pattern: "/a", redirect: { to: "/b\r\nset-cookie: a=1" } }],
  ["a redirect with 200", { pattern: "/a", redirect: { to: "/b", status: 200 } }],
  ["a response of 100", { pattern: "/a", response: { status: 100 } }],
  ["a response that frames itself", { pattern: "/a", response: { headers: { "content-length": "1" } } }],
  ["a header that splits the head", { pattern: "/a", response: { headers: { a: "b\r\nc: d" } } }],
  ["a large response", { pattern: "/a", response: { body: "x".repeat(65_537) } }],
  [
    "credentials for all origins",
    { pattern: "/a", function: "one", cors: { origins: ["*"], credentials: true } },
  ],
  ["an origin with a path", { pattern: "/a", function: "one", cors: { origins: ["https://a.example/"] } }],
  ["no origin", { pattern: "/a", function: "one", cors: { origins: [] } }],
  ["an unknown member", { pattern: "/a", function: "one", methods: ["GET"] }],
  ["null", null],
];

for (const [what, value] of bad) {
  test(`a route is not set to ${what}`, async () => {
    assertProblem(await put("bad", value), 400, "invalid_route");
    assertProblem(await host.ask("GET", "/v1/routes/bad"), 404, "route_not_found");
  });
}

test("a route needs a name and a function that is there, and goes with the function", async () => {
  assertProblem(await put("No", { pattern: "/a", function: "one" }), 400, "invalid_name");
  assertProblem(await put("absent", { pattern: "/absent", function: "absent" }), 404, "function_not_found");
  assertProblem(await host.ask("DELETE", "/v1/routes/absent"), 404, "route_not_found");
  await host.deploy("leaving", answering("here"));
  await route("leaving", { pattern: "/leaving", function: "leaving" });
  assert.equal((await host.ask("GET", "/leaving")).text, "here");
  await host.ask("DELETE", "/v1/functions/leaving");
  assertProblem(await host.ask("GET", "/leaving"), 404, "not_found");
  assertProblem(await host.ask("GET", "/v1/routes/leaving"), 404, "route_not_found");
});

test("an origin that is named may read answers, errors too, and a preflight is the host's to answer", async () => {
  const cors = {
    origins: ["https://app.example"],
    methods: ["GET", "put"],
    headers: ["X-Token"],
    exposeHeaders: ["etag"],
    credentials: true,
  };
  await route("shared", { pattern: "/shared/*", function: "one", cors });
  const asked = (origin: string, method = "GET", headers: Record<string, string> = {}) =>
    host.ask(method, "/shared/x", { headers: { origin, ...headers } });
  const answer = await asked("https://app.example");
  assert.equal(answer.text, "one");
  assert.equal(answer.header("access-control-allow-origin"), "https://app.example");
  assert.equal(answer.header("access-control-allow-credentials"), "true");
  assert.equal(answer.header("access-control-expose-headers"), "etag");
  assert.equal(answer.header("vary"), "origin");
  const other = await asked("https://evil.example");
  assert.deepEqual(
    [other.header("access-control-allow-origin"), other.header("vary")],
    [undefined, "origin"],
  );
  const ask = { "access-control-request-method": "PUT", "access-control-request-headers": "x-token" };
  const preflight = await asked("https://app.example", "OPTIONS", ask);
  assert.equal(preflight.status, 204);
  assert.equal(preflight.header("access-control-allow-methods"), "GET, PUT");
  assert.equal(preflight.header("access-control-allow-headers"), "x-token");
  assert.equal(preflight.header("access-control-max-age"), "600");
  const refused = await asked("https://evil.example", "OPTIONS", ask);
  assert.deepEqual([refused.status, refused.header("access-control-allow-origin")], [204, undefined]);
  await route("shared", { pattern: "/shared/*", function: "one", pin: "none", cors });
  const failed = await asked("https://app.example");
  assertProblem(failed, 404, "function_not_found");
  assert.equal(failed.header("access-control-allow-origin"), "https://app.example");
});

test("routes are there after a restart", async () => {
  const own = await TestHost.start();
  await own.deploy("one", answering("one"));
  await own.send("PUT", "/v1/routes/kept", { pattern: "/kept/:id", function: "one" });
  await own.close({ keepData: true });
  const again = await TestHost.start({ dataDir: own.dataDir });
  assert.equal((await again.ask("GET", "/kept/1")).text, "one");
  await again.close();
});
