// A host that drains: what it was doing it ends, what it is asked anew it refuses, and every answer
// says that the connection ends with it.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { answering, order, puppet } from "../support/guests.ts";
import { type RawAnswer, RawConnection } from "../support/raw-connection.ts";
import { TestHost } from "../support/test-host.ts";

type Operation = {
  readonly operationId: string;
  readonly responses?: Readonly<Record<string, { readonly description: string }>>;
};
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/** What a host that drains is asked, and how it answers. */
const asks = [
  ["PUT /v1/functions/late", "503 overloaded"],
  ["PUT /v1/functions/puppet/config", "503 overloaded"],
  ["POST /v1/functions/puppet/rollback", "503 overloaded"],
  ["POST /v1/functions/puppet/promote", "503 overloaded"],
  ["PUT /v1/functions/puppet/aliases/next", "503 overloaded"],
  ["DELETE /v1/functions/puppet/aliases/next", "503 overloaded"],
  ["PUT /v1/routes/api", "503 overloaded"],
  ["DELETE /v1/routes/api", "503 overloaded"],
  ["POST /v1/functions/puppet/unquarantine", "503 overloaded"],
  ["DELETE /v1/functions/puppet", "503 overloaded"],
  ["PUT /v1/kv/store/key", "503 overloaded"],
  ["POST /v1/kv/store/key?increment=1", "503 overloaded"],
  ["DELETE /v1/kv/store/key", "503 overloaded"],
  ["PUT /v1/blobs/bucket/key", "503 overloaded"],
  ["POST /v1/blobs/bucket/key", "503 overloaded"],
  ["DELETE /v1/blobs/bucket/key", "503 overloaded"],
  ["POST /v1/links", "503 overloaded"],
  ["POST /v1/topics/orders", "503 overloaded"],
  ["POST /v1/backup", "503 overloaded"],
  ["PUT /v1/functions/puppet/triggers/t", "503 overloaded"],
  ["DELETE /v1/functions/puppet/triggers/t", "503 overloaded"],
  ["PUT /v1/functions/puppet/secrets/KEY", "503 overloaded"],
  ["DELETE /v1/functions/puppet/secrets/KEY", "503 overloaded"],
  ["POST /v1/tokens", "503 overloaded"],
  ["DELETE /v1/tokens/id", "503 overloaded"],
  ["PUT /v1/namespaces/team", "503 overloaded"],
  ["DELETE /v1/namespaces/team", "503 overloaded"],
  ["DELETE /v1/invocations/id", "503 overloaded"],
  ["POST /v1/events/redrive", "503 overloaded"],
  ["POST /v1/events/1/redrive", "503 overloaded"],
  ["DELETE /v1/events/1", "503 overloaded"],
  ["GET /readyz", "503 overloaded"],
  ["GET /fn/puppet", "503 overloaded"],
  ["GET /v1/functions/puppet", "200 ok"],
  ["GET /v1/functions/absent", "404 function_not_found"],
  ["GET /healthz", "200 ok"],
  ["TRACE /", "405 method_not_allowed"],
] as const;

test("every change that is documented is among what is asked below, and may be overloaded", async (t) => {
  const host = await TestHost.start();
  t.after(() => host.close());
  const { paths } = (await host.ask("GET", "/openapi.json")).json() as Document;
  const listed = Object.values(paths)
    .flatMap((item) => Object.entries(item))
    .filter(([method]) => ["put", "post", "delete"].includes(method));
  assert.equal(listed.length, asks.filter(([line]) => /^(PUT|POST|DELETE)/.test(line)).length);
  for (const [, { operationId, responses }] of listed) {
    assert.match(responses?.["503"]?.description ?? "", /overloaded/, operationId);
  }
});

test("a host that drains takes no change, answers reads, and closes its connections", async () => {
  const host = await TestHost.start();
  await host.deploy("puppet", puppet());
  await host.configure("puppet", { timeoutMs: 8_000, cpuMs: 900_000 });
  // Connections with a request begun are not idle, and so are not closed when the drain begins.
  const begin = async (line: string): Promise<RawConnection> =>
    (await RawConnection.open(host.port)).write(`${line} HTTP/1.1\r\nHost: localhost\r\n`);
  const begun = await Promise.all(asks.map(([line]) => begin(line)));
  const loop = order("loop");
  const running = (await begin("POST /fn/puppet"))
    .write(`Content-Length: ${loop.length}\r\n\r\n`)
    .write(loop);
  while (!(await host.ask("GET", "/metrics")).text.includes("\nmayfly_live_calls 1\n"));
  const module = answering("begun");
  const upload = await begin("PUT /v1/functions/begun");
  upload.write(`Expect: 100-continue\r\nContent-Length: ${module.length}\r\n\r\n`);
  assert.equal((await upload.answer())?.status, 100);
  const closed = host.close();
  const uploaded = await upload.write(module).answer();
  assert.equal(`${uploaded?.status} ${uploaded?.header("connection")}`, "201 close");
  upload.close();
  for (const path of ["/readyz", "/fn/puppet"]) {
    const late = await host.ask("GET", path);
    assert.equal(late.status, 503, `a new connection: ${path}`);
    assert.equal(late.header("connection"), "close");
  }
  assert.equal((await host.ask("GET", "/healthz")).status, 200);
  for (const [at, [line, outcome]] of asks.entries()) {
    const connection = begun[at];
    const answer = await connection?.write("Content-Length: 0\r\n\r\n").answer();
    assert.equal(outcomeOf(answer), outcome, line);
    assert.equal(answer?.header("connection"), "close", line);
    if (outcome.startsWith("503")) assert.match(answer?.header("retry-after") ?? "", /^[1-9]\d*$/, line);
    connection?.close();
  }
  const last = await running.answer();
  assert.equal(outcomeOf(last), "504 deadline_exceeded");
  assert.equal(last?.header("connection"), "close");
  running.close();
  await closed;
});

function outcomeOf(answer: RawAnswer | null | undefined): string {
  const { code = "ok" } = JSON.parse(answer?.body.toString() ?? "{}") as { code?: string };
  return `${answer?.status} ${code}`;
}
