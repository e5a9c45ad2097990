// Functions that ask for a token, and rates of calls: 401, 403 and 429 on the data plane, and what a function sees.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { mirror } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const root = "the-host-s-own-token";
const rootBearer = { authorization: `Bearer ${root}` };

let host: TestHost;
before(async () => {
  host = await TestHost.start({ token: root });
  await asRoot("PUT", "/v1/namespaces/team", "{}");
  for (const name of ["closed", "open", "limited"]) await deploy(`functions/${name}`);
  await deploy("namespaces/team/functions/closed");
  for (const path of ["functions/closed", "namespaces/team/functions/closed"]) {
    await asRoot("PUT", `/v1/${path}/config`, '{"access":"token"}');
  }
});
after(() => host.close());

const asRoot = (method: string, path: string, body: string | Uint8Array = "") =>
  host.ask(method, path, { headers: rootBearer, body });
const deploy = async (path: string) => {
  const { status, text } = await asRoot("PUT", `/v1/${path}`, mirror());
  assert.equal(status, 201, text);
};
const make = async (settings: object, prefix = "/v1"): Promise<string> => {
  const answer = await asRoot("POST", `${prefix}/tokens`, JSON.stringify(settings));
  return (answer.json() as { token: string }).token;
};
const call = (path: string, token: string | null, headers: Record<string, string> = {}) =>
  host.ask("GET", path, {
    headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
  });

test("a function that asks for a token is called with one that may invoke it, and does not see it", async () => {
  const invoke = await make({ scopes: ["invoke"] });
  const read = await make({ scopes: ["read", "deploy"] });
  const other = await make({ scopes: ["invoke"], names: ["other"] });
  const team = await make({ scopes: ["invoke"] }, "/v1/namespaces/team");
  const missing = await call("/fn/closed", null);
  assertProblem(missing, 401, "unauthorized");
  assert.equal(missing.header("www-authenticate"), 'Bearer realm="mayfly"');
  for (const token of [invoke, root]) {
    const answer = await call("/fn/closed/a?b=1", token, { "x-own": "seen" });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.text.includes("seen") && !answer.text.includes(token), answer.text);
    assert.ok(!/authorization/i.test(answer.text));
  }
  for (const token of [read, other, team]) assertProblem(await call("/fn/closed", token), 403, "forbidden");
  assert.equal((await call("/ns/team/fn/closed", team)).status, 200);
  assert.equal((await call("/", team, { host: "closed.team.localhost" })).status, 200);
  assertProblem(await call("/ns/team/fn/closed", invoke), 403, "forbidden");
  assertProblem(await call("/", invoke, { host: "closed.team.localhost" }), 403, "forbidden");
});

test("a token counts in one header alone", async () => {
  const invoke = await make({ scopes: ["invoke"] });
  for (const target of [`/fn/closed?access_token=${invoke}`, `/fn/closed?token=${invoke}`]) {
    assertProblem(await call(target, null), 401, "unauthorized");
  }
  const basic = Buffer.from(`${invoke}:`).toString("base64");
  assertProblem(await call("/fn/closed", null, { authorization: `Basic ${basic}` }), 401, "unauthorized");
  assertProblem(await call("/fn/closed", null, { cookie: `token=${invoke}` }), 401, "unauthorized");
  assertProblem(
    await call("/fn/closed", null, { "proxy-authorization": `Bearer ${invoke}` }),
    401,
    "unauthorized",
  );
  const raw = await RawConnection.open(host.port);
  const line = `Authorization: Bearer ${invoke}\r\n`;
  raw.write(`GET /fn/closed HTTP/1.1\r\nhost: localhost\r\n${line}${line}\r\n`);
  assert.equal((await raw.answer())?.status, 401);
  raw.close();
});

test("an asynchronous call keeps no token, and its answer is fetched with one that may invoke", async () => {
  const invoke = await make({ scopes: ["invoke"] });
  const accepted = await call("/fn/closed", invoke, { prefer: "respond-async" });
  assert.equal(accepted.status, 202, accepted.text);
  const location = accepted.header("location") ?? "";
  let answer = await call(`${location}/answer`, invoke);
  for (const endMs = Date.now() + 20_000; answer.status === 409 && Date.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer = await call(`${location}/answer`, invoke);
  }
  assert.equal(answer.status, 200, answer.text);
  assert.ok(!answer.text.includes(invoke));
  assertProblem(await call("/fn/closed", null, { prefer: "respond-async" }), 401, "unauthorized");
});

test("a route to a function that asks for a token asks for it too, and nothing kept goes around it", async () => {
  const invoke = await make({ scopes: ["invoke"] });
  const route = JSON.stringify({ pattern: "/by-route/*", function: "closed", cache: true });
  assert.equal((await asRoot("PUT", "/v1/routes/by-route", route)).status, 201);
  const answer = await call("/by-route/a", invoke);
  assert.equal(answer.status, 200, answer.text);
  assert.ok(!answer.text.includes(invoke));
  assertProblem(await call("/by-route/a", null), 401, "unauthorized");
});

test("a public function gets its own callers' authorization as it is", async () => {
  const answer = await call("/fn/open", "its-own-business");
  assert.ok(answer.text.includes("its-own-business"));
});

/** So many calls at once that some are beyond any rate of a few each second, however slow the machine is. */
const burst = (path: string, token: string | null): Promise<Answer[]> =>
  Promise.all(Array.from({ length: 40 }, () => call(path, token)));

test("calls beyond a function's rate are 429, with what is left and when to come again", async () => {
  await asRoot("PUT", "/v1/functions/limited/config", '{"ratePerSecond":1,"rateBurst":3}');
  const first = await call("/fn/limited", null);
  assert.equal(first.status, 200);
  assert.equal(first.header("ratelimit-policy"), '"function";q=3;w=3');
  assert.equal(first.header("ratelimit"), '"function";r=2;t=1');
  const refused = (await burst("/fn/limited", null)).filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0);
  for (const answer of refused) {
    assertProblem(answer, 429, "rate_limited");
    assert.match(answer.header("ratelimit") ?? "", /^"function";r=0;t=[123]$/);
    assert.equal(answer.header("retry-after"), "1");
  }
  assert.equal((await call("/fn/open", null)).header("ratelimit"), undefined);
});

test("calls beyond a token's rate are 429 for that token", async () => {
  const slow = await make({ scopes: ["invoke"], ratePerSecond: 1 });
  const fast = await make({ scopes: ["invoke"] });
  const refused = (await burst("/fn/closed", slow)).filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0);
  for (const answer of refused) assertProblem(answer, 429, "rate_limited");
  assert.equal((await call("/fn/closed", fast)).status, 200);
});
