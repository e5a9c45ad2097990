// Who may call the control plane: the token, or this machine; in both cases no web page and no rebound name.

import { strict as assert } from "node:assert";
import { after, before, describe, test } from "node:test";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

type Headers = Readonly<Record<string, string>>;
type Row = readonly [what: string, headers: Headers, status: number, code: string];

const operations = [
  ["GET", "/v1/functions"],
  ["GET", "/v1/limits"],
  ["PUT", "/v1/functions/x"],
  ["DELETE", "/v1/functions/x"],
  ["PUT", "/v1/functions/x/config"],
  ["POST", "/v1/functions/x/rollback"],
  ["GET", "/v1/functions/x/logs?follow=1"],
  ["GET", "/v1/no-such-route"],
  ["GET", "/v1/functions/UPPER"],
  ["GET", "/v1/%66unctions"],
] as const;

const pages: readonly Row[] = [
  ["an Origin of another site", { origin: "https://evil.example" }, 403, "origin_refused"],
  ["an Origin of null", { origin: "null" }, 403, "origin_refused"],
  ["the host's own origin", { origin: "http://127.0.0.1" }, 403, "origin_refused"],
  ["an empty Origin", { origin: "" }, 403, "origin_refused"],
  ["a cross-site fetch", { "sec-fetch-site": "cross-site" }, 403, "origin_refused"],
  ["a same-site fetch", { "sec-fetch-site": "same-site" }, 403, "origin_refused"],
  [
    "a same-origin fetch, as of a function's page",
    { "sec-fetch-site": "same-origin" },
    403,
    "origin_refused",
  ],
];
const names: readonly Row[] = [
  ["a rebound name", { host: "evil.example:4747" }, 403, "origin_refused"],
  ["a name that begins like ours", { host: "127.0.0.1.evil.example" }, 403, "origin_refused"],
  ["a name that ends like ours", { host: "evil-localhost" }, 403, "origin_refused"],
  ["another address", { host: "10.1.2.3" }, 403, "origin_refused"],
  ["an address in decimal", { host: "2130706433" }, 403, "origin_refused"],
];
const ownNames = [
  "localhost",
  "LOCALHOST:80",
  "localhost.",
  "127.0.0.1:1",
  "127.5.5.5",
  "[::1]:4747",
  "mayfly.test",
];

async function refusedEverywhere(host: TestHost, [what, headers, status, code]: Row): Promise<void> {
  for (const [method, path] of operations) {
    const answer = await host.ask(method, path, { headers });
    assert.equal(answer.status, status, `${what}: ${method} ${path}: ${answer.text}`);
    assertProblem(answer, status, code);
  }
}

describe("without a token", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start({ minWorkers: 0, hostNames: ["mayfly.test"] });
  });
  after(() => host.close());

  const forwarded: readonly Row[] = [
    ["Forwarded", { forwarded: "for=127.0.0.1" }, 403, "loopback_only"],
    ["X-Forwarded-For", { "x-forwarded-for": "127.0.0.1" }, 403, "loopback_only"],
    ["an empty X-Forwarded-For", { "x-forwarded-for": "" }, 403, "loopback_only"],
  ];
  for (const row of [...pages, ...names, ...forwarded]) {
    test(`${row[0]} is refused at every route`, () => refusedEverywhere(host, row));
  }

  test("a loopback peer is answered under each of the host's own names", async () => {
    for (const name of ownNames) {
      const answer = await host.ask("GET", "/v1/limits", {
        headers: { host: name, "sec-fetch-site": "none" },
      });
      assert.equal(answer.status, 200, name);
    }
  });

  test("health checks are open to everyone", async () => {
    for (const path of ["/healthz", "/readyz"]) {
      const headers = { host: "evil.example", origin: "https://evil.example", forwarded: "for=10.0.0.1" };
      assert.equal((await host.ask("GET", path, { headers })).status, 200);
    }
  });

  test("/metrics follows /v1, but for Host", async () => {
    assert.equal(
      (await host.ask("GET", "/metrics", { headers: { host: "prometheus.example" } })).status,
      200,
    );
    for (const [, headers, status, code] of [...pages, ...forwarded]) {
      assertProblem(await host.ask("GET", "/metrics", { headers }), status, code);
    }
  });

  test("the data plane asks for none of this", async () => {
    await host.deploy("open", answering("open"));
    const headers = { host: "any.example", origin: "https://any.example", "x-forwarded-for": "10.0.0.1" };
    assert.equal((await host.ask("GET", "/fn/open", { headers })).text, "open");
  });
});

describe("with a token", () => {
  let host: TestHost;
  const token = "s3cret~token";
  const bearer = { authorization: `Bearer ${token}` };
  before(async () => {
    host = await TestHost.start({ minWorkers: 0, token });
  });
  after(() => host.close());

  const wrong = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    `Basic ${token}`,
    token,
    `Bearer ${token}x`,
    `Bearer ${token} x`,
  ];
  for (const authorization of wrong) {
    test(`${JSON.stringify(authorization)} is no token`, async () => {
      await refusedEverywhere(host, ["token", { authorization }, 401, "unauthorized"]);
    });
  }

  test("a call without a token learns how to send one", async () => {
    const answer = await host.ask("GET", "/v1/functions");
    assertProblem(answer, 401, "unauthorized");
    assert.match(answer.header("www-authenticate") ?? "", /^Bearer/);
  });

  test("the token opens every route, also through a proxy", async () => {
    for (const headers of [
      bearer,
      { ...bearer, "x-forwarded-for": "10.0.0.1" },
      { authorization: `bearer ${token}` },
    ]) {
      assert.equal((await host.ask("GET", "/v1/functions", { headers })).status, 200);
      assert.equal((await host.ask("GET", "/metrics", { headers })).status, 200);
    }
    assertProblem(await host.ask("GET", "/metrics"), 401, "unauthorized");
  });

  test("pages and rebound names are refused with the token too", async () => {
    for (const [what, headers, status, code] of [...pages, ...names]) {
      await refusedEverywhere(host, [what, { ...bearer, ...headers }, status, code]);
    }
  });
});
