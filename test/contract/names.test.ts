// Function names: what the pattern takes, and that nothing else reaches a route, however it is written.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 0 });
after(() => host.close());

const good = ["a", "0", "a-b", "a--b", "9z", "x".repeat(63), "constructor", "fn", "v1"];
const bad = [
  "A",
  "aB",
  "-a",
  "a-",
  "-",
  "a_b",
  "a.b",
  "..",
  ".",
  "x".repeat(64),
  "a%20b",
  "%61",
  "..%2f..%2fetc",
  "a%2fb",
  "%2e%2e",
  "a%00b",
  "a%0d%0aX:1",
  "a%",
  "a%zz",
  "%ff",
  "%c3%a9",
  "__proto__",
  "a:b",
  "a*b",
  "a,b",
  "a;b",
  "a+b",
  "~",
];

test("every name of the pattern is taken", async () => {
  for (const name of good) {
    assert.equal((await host.ask("GET", `/v1/functions/${name}/config`)).status, 200, name);
    assertProblem(await host.ask("GET", `/fn/${name}`), 404, "function_not_found");
  }
});

for (const name of bad) {
  test(`${JSON.stringify(name)} is no name, neither to manage nor to call`, async () => {
    const called = await rawAsk(host.port, `GET /fn/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    assert.equal(called?.status, 400);
    assert.equal(JSON.parse(called?.body.toString() ?? "").code, "invalid_name");
    for (const [method, tail] of [
      ["GET", ""],
      ["PUT", ""],
      ["GET", "/config"],
      ["DELETE", ""],
      ["GET", "/logs"],
    ]) {
      const answer = await rawAsk(
        host.port,
        `${method} /v1/functions/${name}${tail} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`,
      );
      const { code } = JSON.parse(answer?.body.toString() ?? "") as { code: string };
      assert.equal(`${answer?.status} ${code}`, "400 invalid_name", `${method} ${tail}`);
    }
  });
}

test("an empty name is no function", async () => {
  assertProblem(await host.ask("GET", "/fn/"), 400, "invalid_name");
  assertProblem(await host.ask("GET", "/fn/@1/x"), 400, "invalid_name");
  assertProblem(await host.ask("GET", "/fn"), 404, "not_found");
});

test("a name in a Host header is held to the same pattern", async () => {
  for (const name of ["A_b", "a.b.c", "a..b", ".a", "-a", "", "x".repeat(64), "a%2fb"]) {
    const answer = await host.ask("GET", "/", { headers: { host: `${name}.localhost` } });
    assertProblem(answer, 400, "invalid_name");
  }
  assertProblem(
    await host.ask("GET", "/", { headers: { host: "AbC.localhost:99" } }),
    404,
    "function_not_found",
  );
});
