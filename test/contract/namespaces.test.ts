// Namespaces: rooms of a host with the same names in each, that see nothing of one another, and their quotas.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { answering, guest, literal } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  for (const name of ["red", "blue"]) {
    assert.equal((await host.send("PUT", `/v1/namespaces/${name}`, {})).status, 201);
  }
});
after(() => host.close());

const prefix = (namespace: string): string =>
  namespace === "default" ? "/v1" : `/v1/namespaces/${namespace}`;
const deploy = async (namespace: string, name: string, bytes: Uint8Array): Promise<Answer> =>
  host.ask("PUT", `${prefix(namespace)}/functions/${name}`, { body: bytes });

test("one name is another function in each namespace, by each of its addresses", async () => {
  for (const namespace of ["default", "red", "blue"]) {
    const answer = await deploy(namespace, "hello", answering(namespace));
    assert.equal(answer.status, 201, answer.text);
    const shown = answer.json() as { name: string; namespace: string; url: string };
    assert.deepEqual([shown.name, shown.namespace], ["hello", namespace]);
    assert.equal((await host.ask("GET", new URL(shown.url).pathname)).text, namespace);
  }
  for (const [path, name, text] of [
    ["/fn/hello", "localhost", "default"],
    ["/ns/default/fn/hello", "localhost", "default"],
    ["/ns/red/fn/hello/path?q=1", "localhost", "red"],
    ["/ns/red/fn/hello@1", "localhost", "red"],
    ["/", "hello.localhost", "default"],
    ["/v1/functions", "hello.blue.localhost", "blue"],
    ["/fn/other", "hello.default.localhost:4747", "default"],
  ] as const) {
    assert.equal((await host.ask("GET", path, { headers: { host: name } })).text, text, path);
  }
  assert.equal((await host.ask("GET", "/v1/namespaces/default/functions/hello")).status, 200);
  assertProblem(await host.ask("GET", "/ns/green/fn/hello"), 404, "function_not_found");
  assertProblem(await host.ask("GET", "/ns/red/fn/absent"), 404, "function_not_found");
  assert.equal((await host.ask("DELETE", "/v1/namespaces/blue/functions/hello")).status, 204);
  assert.equal((await host.ask("GET", "/ns/red/fn/hello")).text, "red");
});

test("aliases are of a function in its namespace, and a route may lead into one", async () => {
  for (const namespace of ["default", "red"]) {
    await deploy(namespace, "released", answering(`${namespace} one`));
    await deploy(namespace, "released", answering(`${namespace} two`));
  }
  const alias = { versions: [{ version: 1, percent: 100 }] };
  const path = "/v1/namespaces/red/functions/released/aliases/old";
  const put = await host.send("PUT", path, alias);
  assert.equal(put.status, 201, put.text);
  const shown = put.json() as { function: string; url: string };
  assert.deepEqual([shown.function, new URL(shown.url).pathname], ["released", "/ns/red/fn/released@old"]);
  assert.equal((await host.ask("GET", "/ns/red/fn/released@old")).text, "red one");
  assertProblem(await host.ask("GET", "/fn/released@old"), 404, "function_not_found");
  await host.send("POST", "/v1/namespaces/red/functions/released/rollback", { version: 1 });
  assert.equal((await host.ask("GET", "/ns/red/fn/released")).text, "red one");
  assert.equal((await host.ask("GET", "/fn/released")).text, "default two");
  for (const [id, namespace] of [
    ["to-red", "red"],
    ["to-default", "default"],
  ] as const) {
    const route = { pattern: `/${id}/*`, function: "released", namespace };
    assert.equal((await host.send("PUT", `/v1/routes/${id}`, route)).status, 201);
  }
  assert.equal((await host.ask("GET", "/to-red/a")).text, "red one");
  assert.equal((await host.ask("GET", "/to-default/a")).text, "default two");
  const absent = { pattern: "/x/*", function: "released", namespace: "green" };
  assertProblem(await host.send("PUT", "/v1/routes/x", absent), 404, "function_not_found");
  // Routes are of the host: they are in no namespace, and namespaces end with their functions.
  assertProblem(await host.ask("GET", "/v1/namespaces/red/routes"), 404, "not_found");
  await host.ask("DELETE", "/v1/namespaces/red/functions/released");
  assertProblem(await host.ask("GET", "/v1/routes/to-red"), 404, "route_not_found");
});

test("a text that is like a name of another namespace is no name", async () => {
  for (const [method, path, status] of [
    ["GET", "/fn/hello.red", 400],
    ["GET", "/ns/red.blue/fn/hello", 400],
    ["GET", "/ns/RED/fn/hello", 400],
    ["GET", "/ns/%72ed/fn/hello", 400],
    ["GET", "/ns//fn/hello", 404],
    ["GET", "/ns/red/fn/hello.red", 400],
    ["GET", "/v1/functions/hello.red", 400],
    ["GET", "/v1/namespaces/red/functions/hello.red", 400],
    ["GET", "/v1/namespaces/red/../functions/hello", 404],
    ["GET", "/v1/namespaces/r%65d/functions", 400],
    ["GET", "/v1/namespaces/RED/functions", 400],
    ["GET", "/v1/namespaces/green/functions", 404],
    ["GET", "/v1/namespaces/red/namespaces", 404],
    ["GET", "/v1/namespaces/red/namespaces/red/functions", 404],
    ["PUT", "/v1/kv/links.red/a", 400],
    ["PUT", "/v1/blobs/files.red/a", 400],
    ["POST", "/v1/topics/orders.red", 400],
    ["GET", "/v1/events?function=hello.red", 400],
    ["GET", "/v1/invocations?function=hello.red", 400],
    ["PUT", "/v1/namespaces/a.b", 400],
    ["DELETE", "/v1/namespaces/default", 409],
  ] as const) {
    const answer = await host.ask(
      method,
      path,
      method === "GET" || method === "DELETE" ? {} : { body: "{}" },
    );
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
  }
  // As names of functions these are like any other.
  for (const name of ["default", "fn", "ns", "v1"]) {
    assert.equal((await deploy("red", name, answering(name))).status, 201);
    assert.equal((await host.ask("GET", `/ns/red/fn/${name}`)).text, name);
    assertProblem(await host.ask("GET", `/fn/${name}`), 404, "function_not_found");
  }
});

test("what guests open, call and publish is of their own namespace", async () => {
  const keeps = await compiled(join(import.meta.dirname, "../guest/functions/kv.as.ts"));
  for (const namespace of ["default", "red", "blue"]) {
    assert.equal((await deploy(namespace, "keeps", keeps)).status, 201);
    const path = namespace === "default" ? "/fn/keeps/set" : `/ns/${namespace}/fn/keeps/set`;
    await host.ask("POST", path, { body: `of ${namespace}`, headers: { "x-key": "k" } });
  }
  for (const namespace of ["default", "red", "blue"]) {
    const path = namespace === "default" ? "/fn/keeps/get" : `/ns/${namespace}/fn/keeps/get`;
    assert.equal((await host.ask("POST", path, { headers: { "x-key": "k" } })).text, `of ${namespace}`);
    assert.equal((await host.ask("GET", `${prefix(namespace)}/kv/things/k`)).text, `of ${namespace}`);
    const { stores } = (await host.ask("GET", `${prefix(namespace)}/kv`)).json() as {
      stores: { store: string }[];
    };
    assert.deepEqual(
      stores.map(({ store }) => store),
      ["things"],
    );
  }
});

test("a signed URL is one of its own namespace", async () => {
  const sign = async (namespace: string): Promise<string> => {
    const value = { method: "GET", bucket: "files", key: "a" };
    const answer = await host.send("POST", `${prefix(namespace)}/links`, value);
    return (answer.json() as { path: string }).path;
  };
  for (const namespace of ["default", "red"]) {
    await host.ask("PUT", `${prefix(namespace)}/blobs/files/a`, { body: namespace });
    assert.equal((await host.ask("GET", await sign(namespace))).text, namespace);
  }
  const red = await sign("red");
  assertProblem(await host.ask("GET", red.replace("/namespaces/red", "")), 403, "link_refused");
  assertProblem(await host.ask("GET", red.replace("/red/", "/blue/")), 403, "link_refused");
  assertProblem(
    await host.ask("GET", (await sign("default")).replace("/v1/", "/v1/namespaces/red/")),
    403,
    "link_refused",
  );
});

test("a namespace at a quota is refused more, with the quota named, and nothing of it is kept", async () => {
  const bytes = answering("x");
  const quotas = { functions: 1, bytes: 2 * bytes.byteLength, kvBytes: 10, blobBytes: 10 };
  await host.send("PUT", "/v1/namespaces/small", { quotas });
  const named = (answer: Answer, quota: string): void => {
    assertProblem(answer, 403, "quota_exceeded");
    assert.ok((answer.json() as { detail: string }).detail.includes(`its quota "${quota}"`), answer.text);
  };
  assert.equal((await deploy("small", "one", bytes)).status, 201);
  named(await deploy("small", "two", bytes), "functions");
  assertProblem(await host.ask("GET", "/v1/namespaces/small/functions/two"), 404, "function_not_found");
  assert.equal((await deploy("small", "one", answering("y"))).status, 201);
  named(await deploy("small", "one", answering("z")), "bytes");
  assert.equal((await host.ask("GET", "/ns/small/fn/one")).text, "y");
  const put = (path: string, body: string) => host.ask("PUT", `/v1/namespaces/small/${path}`, { body });
  assert.equal((await put("kv/s/k", "12345")).status, 201);
  named(await put("kv/s/l", "12345"), "kvBytes");
  assert.equal((await put("kv/s/k", "123456789")).status, 200);
  assertProblem(await host.ask("GET", "/v1/namespaces/small/kv/s/l"), 404, "key_not_found");
  assert.equal((await put("blobs/b/k", "12345")).status, 201);
  named(await put("blobs/b/l", "12345"), "blobBytes");
  const shown = (await host.ask("GET", "/v1/namespaces/small")).json() as { use: object };
  assert.deepEqual(shown.use, { functions: 1, bytes: 2 * bytes.byteLength, kvBytes: 10, blobBytes: 6 });
  await host.ask("DELETE", "/v1/namespaces/small/kv/s/k");
  assert.equal((await put("kv/s/l", "12345")).status, 201);
});

test("calls beyond a namespace's quota are 429, over all of its functions", async () => {
  await host.send("PUT", "/v1/namespaces/slow", { quotas: { callsPerSecond: 1 } });
  for (const name of ["a", "b", "c"]) await deploy("slow", name, answering(name));
  const names = Array.from({ length: 10 }, () => ["a", "b", "c"]).flat();
  const answers = await Promise.all(names.map((name) => host.ask("GET", `/ns/slow/fn/${name}`)));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < names.length);
  for (const answer of refused) {
    assertProblem(answer, 429, "rate_limited");
    assert.match(answer.text, /callsPerSecond/);
    assert.match(answer.header("ratelimit") ?? "", /^"namespace";r=0;t=\d$/);
  }
  assert.equal((await host.ask("GET", "/ns/red/fn/hello")).status, 200);
});

test("live calls hold no more memory than their namespace's quota", async () => {
  await host.send("PUT", "/v1/namespaces/tight", { quotas: { memoryMb: 10 } });
  const waits = guest(
    "(call $sleep (f64.const 500)) (call $write (i32.const 0) (i32.const 12))",
    `(data (i32.const 0) "${literal(responseMessage())}")`,
    `(import "mayfly" "sleep" (func $sleep (param f64)))
     (import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
  await deploy("tight", "waits", waits);
  await host.ask("PUT", "/v1/namespaces/tight/functions/waits/config", { body: '{"memoryMb":4}' });
  const calls = await Promise.all(Array.from({ length: 4 }, () => host.ask("GET", "/ns/tight/fn/waits")));
  const refused = calls.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 1, calls.map(({ status }) => status).join());
  for (const answer of refused) {
    assertProblem(answer, 429, "quota_exceeded");
    assert.match(answer.text, /memoryMb/);
    assert.equal(answer.header("retry-after"), "1");
  }
  assert.equal((await host.ask("GET", "/ns/tight/fn/waits")).status, 200);
});

test("a namespace is removed when it is empty, and its successor finds nothing of it", async () => {
  await host.send("PUT", "/v1/namespaces/brief", {});
  await deploy("brief", "f", answering("f"));
  await host.ask("PUT", "/v1/namespaces/brief/functions/g/secrets/KEY", { body: "x" });
  await host.ask("PUT", "/v1/namespaces/brief/functions/f/triggers/t", {
    body: '{"kind":"topic","topic":"orders","paused":true}',
  });
  const event = { specversion: "1.0", id: "1", type: "t", source: "/s" };
  const published = await host.ask("POST", "/v1/namespaces/brief/topics/orders", {
    body: JSON.stringify(event),
    headers: { "content-type": "application/cloudevents+json" },
  });
  assert.equal((published.json() as { deliveries: number }).deliveries, 1);
  const made = await host.send("POST", "/v1/namespaces/brief/tokens", { scopes: ["admin"] });
  const headers = { authorization: `Bearer ${(made.json() as { token: string }).token}` };
  assert.equal((await host.ask("GET", "/v1/namespaces/brief/functions", { headers })).status, 200);
  assertProblem(await host.ask("DELETE", "/v1/namespaces/brief"), 409, "namespace_in_use");
  assert.equal((await host.ask("DELETE", "/v1/namespaces/brief/functions/f")).status, 204);
  assert.equal((await host.ask("DELETE", "/v1/namespaces/brief")).status, 204);
  assertProblem(await host.ask("GET", "/v1/namespaces/brief/functions"), 404, "namespace_not_found");
  assertProblem(await deploy("brief", "f", answering("f")), 404, "namespace_not_found");
  await host.send("PUT", "/v1/namespaces/brief", {});
  const list = async (path: string) => (await host.ask("GET", `/v1/namespaces/brief/${path}`)).json();
  assert.deepEqual(await list("functions"), { functions: [] });
  assert.deepEqual(await list("events"), { events: [], cursor: null });
  assert.deepEqual(await list("functions/g/secrets"), { secrets: [] });
  assert.deepEqual(await list("tokens"), { tokens: [] });
});
