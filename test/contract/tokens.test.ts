// Tokens: made once, shown once, for some scopes, names and time; and what becomes of all others.

import { strict as assert } from "node:assert";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answering } from "../support/guests.ts";
import type { Ask } from "../support/http-client.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const root = "the-host-s-own-token";
const rootBearer = { authorization: `Bearer ${root}` };

let host: TestHost;
before(async () => {
  host = await TestHost.start({ token: root });
  await asRoot("PUT", "/v1/namespaces/team", "{}");
  for (const path of ["functions/shop-a", "functions/other", "namespaces/team/functions/shop-a"]) {
    const { status, text } = await asRoot("PUT", `/v1/${path}`, answering(path));
    assert.equal(status, 201, text);
  }
});
after(() => host.close());

type Made = { id: string; token: string };

const asRoot = (method: string, path: string, body?: Ask["body"]) =>
  host.ask(method, path, { headers: rootBearer, ...(body !== undefined && { body }) });
const make = async (settings: object, prefix = "/v1"): Promise<Made> => {
  const answer = await asRoot("POST", `${prefix}/tokens`, JSON.stringify(settings));
  assert.equal(answer.status, 201, answer.text);
  return answer.json() as Made;
};
const as = (token: string, method: string, path: string, body?: Ask["body"]) =>
  host.ask(method, path, {
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body }),
  });

test("a token is shown once, listed without itself, and opens nothing once it is revoked", async () => {
  const made = await make({ label: "ci", scopes: ["deploy"], names: ["shop-*"], expiresInS: 3_600 });
  assert.match(made.token, /^mf_[A-Za-z0-9_-]{43}$/);
  for (const path of ["/v1/tokens", `/v1/tokens/${made.id}`]) {
    const { text, status } = await asRoot("GET", path);
    assert.equal(status, 200);
    assert.ok(text.includes('"ci"') && !text.includes(made.token));
  }
  assert.equal((await as(made.token, "GET", "/v1/functions/shop-a")).status, 200);
  const used = (await asRoot("GET", `/v1/tokens/${made.id}`)).json() as { usedAt: string | null };
  assert.match(String(used.usedAt), /^20\d\d-/);
  assert.equal((await asRoot("DELETE", `/v1/tokens/${made.id}`)).status, 204);
  assertProblem(await as(made.token, "GET", "/v1/functions/shop-a"), 401, "unauthorized");
  assertProblem(await asRoot("DELETE", `/v1/tokens/${made.id}`), 404, "token_not_found");
});

test("each scope opens its routes, and no others", async () => {
  const tokens = {
    read: await make({ scopes: ["read"] }),
    deploy: await make({ scopes: ["deploy"] }),
    invoke: await make({ scopes: ["invoke"] }),
    admin: await make({ scopes: ["admin"] }),
  };
  for (const [method, path, body, allowed] of [
    ["GET", "/v1/functions", undefined, ["read", "deploy", "admin"]],
    ["GET", "/v1/functions/other/config", undefined, ["read", "deploy", "admin"]],
    ["PUT", "/v1/functions/other/config", "{}", ["deploy", "admin"]],
    ["PUT", "/v1/functions/other/secrets/KEY", "x", ["deploy", "admin"]],
    ["GET", "/v1/kv/links", undefined, ["read", "deploy", "admin"]],
    ["PUT", "/v1/kv/links/a", "x", ["deploy", "admin"]],
    ["POST", "/v1/topics/orders", '{"specversion":"1.0"}', ["invoke", "admin"]],
    ["GET", "/v1/limits", undefined, ["read", "deploy", "invoke", "admin"]],
    ["GET", "/v1/tokens", undefined, ["admin"]],
    ["POST", "/v1/tokens", '{"scopes":["read"]}', ["admin"]],
    ["GET", "/v1/audit", undefined, ["admin"]],
    // Of the whole host, which a token of one namespace is not for.
    ["GET", "/metrics", undefined, []],
    ["GET", "/v1/namespaces", undefined, []],
    ["PUT", "/v1/namespaces/more", "{}", []],
    ["POST", "/v1/backup", undefined, []],
  ] as const) {
    for (const [scope, { token }] of Object.entries(tokens)) {
      const answer = await as(token, method, path, body);
      const isAllowed = (allowed as readonly string[]).includes(scope);
      if (isAllowed) assert.ok(![401, 403].includes(answer.status), `${scope} ${path}: ${answer.text}`);
      else {
        assertProblem(answer, 403, "forbidden");
        assert.match(answer.header("www-authenticate") ?? "", /insufficient_scope/);
      }
    }
  }
  const ofHost = await make({ scopes: ["read"], allNamespaces: true });
  for (const path of ["/metrics", "/v1/namespaces", "/v1/namespaces/team/functions"]) {
    assert.equal((await as(ofHost.token, "GET", path)).status, 200, path);
  }
  // What is in a backup is more than whoever deploys may read.
  const deploys = await make({ scopes: ["read", "deploy", "invoke"], allNamespaces: true });
  assertProblem(await as(deploys.token, "POST", "/v1/backup"), 403, "forbidden");
  const manages = await make({ scopes: ["admin"], allNamespaces: true });
  assert.equal((await as(manages.token, "POST", "/v1/backup")).status, 200);
});

test("a token for some names touches and lists those alone", async () => {
  const { token } = await make({ scopes: ["deploy", "invoke"], names: ["shop-*"] });
  const { functions } = (await as(token, "GET", "/v1/functions")).json() as { functions: { name: string }[] };
  assert.deepEqual(
    functions.map(({ name }) => name),
    ["shop-a"],
  );
  assert.equal((await as(token, "PUT", "/v1/functions/shop-b", answering("b"))).status, 201);
  assert.equal((await as(token, "PUT", "/v1/kv/shop-data/k", "x")).status, 201);
  await asRoot("PUT", "/v1/kv/others/k", "x");
  const { stores } = (await as(token, "GET", "/v1/kv")).json() as { stores: { store: string }[] };
  assert.deepEqual(
    stores.map(({ store }) => store),
    ["shop-data"],
  );
  for (const [method, path, body] of [
    ["GET", "/v1/functions/other"],
    ["DELETE", "/v1/functions/other"],
    ["PUT", "/v1/kv/others/k", "y"],
    ["POST", "/v1/topics/others", "{}"],
    ["POST", "/v1/links", '{"method":"GET","bucket":"others","key":"k"}'],
    ["GET", "/v1/events"],
    ["GET", "/v1/events?function=other"],
    ["POST", "/v1/events/redrive"],
  ] as const) {
    assertProblem(await as(token, method, path, body), 403, "forbidden");
  }
  assert.equal((await as(token, "GET", "/v1/events?function=shop-a")).status, 200);
  for (const name of ["%2a", "*", "shop-a.team", "shop-*"]) {
    assert.ok([400, 403, 404].includes((await as(token, "GET", `/v1/functions/${name}`)).status), name);
  }
});

test("a token of one namespace reaches into no other, whatever its patterns", async () => {
  const team = await make({ scopes: ["admin"] }, "/v1/namespaces/team");
  const plain = await make({ scopes: ["admin"] });
  assert.equal((await as(team.token, "GET", "/v1/namespaces/team/functions/shop-a")).status, 200);
  assert.equal((await as(plain.token, "GET", "/v1/namespaces/default/functions/shop-a")).status, 200);
  for (const path of ["/v1/functions", "/v1/namespaces/default/functions", "/v1/namespaces", "/v1/tokens"]) {
    assertProblem(await as(team.token, "GET", path), 403, "forbidden");
  }
  assertProblem(await as(plain.token, "GET", "/v1/namespaces/team/functions"), 403, "forbidden");
  // Nor learns which there are.
  assertProblem(await as(plain.token, "GET", "/v1/namespaces/absent/functions"), 403, "forbidden");
  for (const body of ['{"scopes":["read"],"allNamespaces":true}']) {
    assertProblem(await as(plain.token, "POST", "/v1/tokens", body), 403, "forbidden");
  }
  // Nor sees or revokes those of others.
  assertProblem(await as(plain.token, "DELETE", `/v1/tokens/${team.id}`), 404, "token_not_found");
  const { tokens } = (await as(team.token, "GET", "/v1/namespaces/team/tokens")).json() as {
    tokens: { id: string }[];
  };
  assert.deepEqual(
    tokens.map(({ id }) => id),
    [team.id],
  );
});

test("what is no token of this host gets the same answer, whatever is wrong with it", async () => {
  const expired = await make({ scopes: ["admin"], expiresInS: 1 });
  const { token } = await make({ scopes: ["admin"] });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const details = new Set<string>();
  for (const authorization of [
    `Bearer ${expired.token}`,
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer mf_${"A".repeat(43)}`,
    "Bearer mf_",
    "Bearer",
    `Bearer ${token} ${token}`,
    `Bearer ${token}, Bearer ${token}`,
    token,
    `Token ${token}`,
    `Basic ${Buffer.from(`${token}:`).toString("base64")}`,
    `Basic ${Buffer.from(`:${root}`).toString("base64")}`,
    `Bearer ${Buffer.from(token).toString("base64")}`,
    `Bearer ${"x".repeat(8_000)}`,
    `Bearer ${"é".repeat(4)}`,
  ]) {
    const answer = await host.ask("GET", "/v1/functions", {
      headers: { authorization: Buffer.from(authorization).toString("latin1") },
    });
    assertProblem(answer, 401, "unauthorized");
    details.add((answer.json() as { detail: string }).detail);
    assert.ok(!answer.text.includes(token) && !answer.text.includes(root));
  }
  assert.equal(details.size, 1);
  for (const query of [`access_token=${token}`, `token=${token}`]) {
    assertProblem(await host.ask("GET", `/v1/functions?${query}`), 401, "unauthorized");
  }
  const twice = await RawConnection.open(host.port);
  const line = `authorization: Bearer ${token}\r\n`;
  twice.write(`GET /v1/functions HTTP/1.1\r\nhost: localhost\r\n${line}${line}\r\n`);
  assert.equal((await twice.answer())?.status, 401);
  twice.close();
});

test("a token is in no file of the host, and is known again after a restart with its last use", async () => {
  const first = await TestHost.start({ token: root });
  const answer = await first.ask("POST", "/v1/tokens", {
    headers: rootBearer,
    body: '{"scopes":["read"],"label":"kept"}',
  });
  const { token, id } = answer.json() as Made;
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await first.ask("GET", "/v1/functions", { headers })).status, 200);
  await first.close({ keepData: true });
  for (const name of await readdir(first.dataDir)) {
    if (name.startsWith("mayfly.db")) {
      assert.ok(!(await readFile(join(first.dataDir, name))).includes(token.slice(3)), name);
    }
  }
  const second = await TestHost.start({ token: root, dataDir: first.dataDir });
  const shown = await second.ask("GET", `/v1/tokens/${id}`, { headers: rootBearer });
  assert.match(String((shown.json() as { usedAt: string }).usedAt), /^20\d\d-/);
  assert.equal((await second.ask("GET", "/v1/functions", { headers })).status, 200);
  await second.close();
});

test("a host without a token of its own knows those it has made, and loopback peers without one", async () => {
  const bare = await TestHost.start();
  const made = await bare.send("POST", "/v1/tokens", { scopes: ["read"] });
  assert.equal(made.status, 201);
  const headers = { authorization: `Bearer ${(made.json() as Made).token}` };
  const forwarded = { "x-forwarded-for": "10.0.0.1" };
  assert.equal((await bare.ask("GET", "/v1/functions")).status, 200);
  assert.equal(
    (await bare.ask("GET", "/v1/functions", { headers: { ...headers, ...forwarded } })).status,
    200,
  );
  assertProblem(await bare.ask("GET", "/v1/functions", { headers: forwarded }), 403, "loopback_only");
  // Whoever sends a token is known by that.
  assertProblem(await bare.ask("GET", "/v1/tokens", { headers }), 403, "forbidden");
  const wrong = { authorization: "Bearer wrong" };
  assertProblem(await bare.ask("GET", "/v1/functions", { headers: wrong }), 401, "unauthorized");
  await bare.close();
});

test("pages of configured origins may call with a token, and no others", async () => {
  const origin = "https://console.example.org";
  const open = await TestHost.start({ token: root, origins: [origin] });
  const answer = await open.ask("GET", "/v1/functions", {
    headers: { ...rootBearer, origin, "sec-fetch-site": "cross-site" },
  });
  assert.deepEqual([answer.status, answer.header("access-control-allow-origin")], [200, origin]);
  assertProblem(await open.ask("GET", "/v1/functions", { headers: { origin } }), 401, "unauthorized");
  const preflight = {
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization",
  };
  const asked = await open.ask("OPTIONS", "/v1/functions/a", { headers: { origin, ...preflight } });
  assert.deepEqual([asked.status, asked.header("access-control-allow-headers")], [204, "authorization"]);
  for (const other of ["https://console.example.org.evil.example", "http://console.example.org", "null"]) {
    const headers = { ...rootBearer, origin: other };
    const refused = await open.ask("GET", "/v1/functions", { headers });
    assertProblem(refused, 403, "origin_refused");
    assert.equal(refused.header("access-control-allow-origin"), undefined);
    const told = await open.ask("OPTIONS", "/v1/functions/a", { headers: { origin: other, ...preflight } });
    assert.equal(told.status, 403);
  }
  await open.close();
  // Without a token a page is no loopback peer either.
  const bare = await TestHost.start({ origins: [origin] });
  assertProblem(await bare.ask("GET", "/v1/functions", { headers: { origin } }), 401, "unauthorized");
  await bare.close();
});

test("a token with a rate has its calls of the control plane counted", async () => {
  const { token } = await make({ scopes: ["read"], ratePerSecond: 1, rateBurst: 2 });
  const first = await as(token, "GET", "/v1/functions");
  assert.deepEqual(
    [first.header("ratelimit-policy"), first.header("ratelimit")],
    ['"token";q=2;w=2', '"token";r=1;t=1'],
  );
  const many = Array.from({ length: 40 }, () => as(token, "GET", "/v1/functions"));
  const refused = (await Promise.all(many)).filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0);
  for (const answer of refused) {
    assertProblem(answer, 429, "rate_limited");
    assert.equal(answer.header("retry-after"), "1");
  }
});
