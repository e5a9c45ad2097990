// The audit log: every change of the control plane, who made it, and what it changed; no secret in it.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { answering } from "../support/guests.ts";
import { TestHost } from "../support/test-host.ts";

type Entry = {
  id: number;
  who: string;
  method: string;
  target: string;
  namespace: string;
  status: number | null;
  requestId: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
};

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.send("PUT", "/v1/namespaces/team", {});
});
after(() => host.close());

const entries = async (query = "", prefix = "/v1"): Promise<Entry[]> => {
  const answer = await host.ask("GET", `${prefix}/audit${query}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json() as { entries: Entry[] }).entries;
};
const newest = async (): Promise<Entry> => {
  const [entry] = await entries("?limit=1");
  assert.ok(entry);
  return entry;
};

test("a change is recorded with who made it, and what of the resource it has changed", async () => {
  const deployed = await host.upload("shop", answering("one"));
  const first = await newest();
  assert.deepEqual(
    [first.who, first.method, first.target, first.namespace, first.status, first.before],
    ["local", "PUT", "/v1/functions/shop", "default", 201, null],
  );
  assert.equal(first.requestId, deployed.header("x-mayfly-request-id"));
  assert.equal(first.after?.["version"], 1);
  await host.upload("shop", answering("two"));
  const second = await newest();
  assert.deepEqual([second.before?.["version"], second.after?.["version"]], [1, 2]);
  assert.equal(second.after?.["name"], undefined, "what is the same is not told");
  await host.configure("shop", { timeoutMs: 500 });
  const configured = await newest();
  assert.deepEqual([configured.before, configured.after], [{ timeoutMs: 30_000 }, { timeoutMs: 500 }]);
  await host.send("POST", "/v1/functions/shop/rollback", { version: 1 });
  const back = await newest();
  assert.deepEqual(
    [back.target, back.before?.["version"], back.after?.["version"]],
    ["/v1/functions/shop/rollback", 2, 1],
  );
  await host.send("PUT", "/v1/functions/shop/triggers/t", { kind: "topic", topic: "orders" });
  assert.equal((await newest()).after?.["topic"], "orders");
  await host.ask("DELETE", "/v1/functions/shop/triggers/t");
  const removed = await newest();
  assert.deepEqual([removed.before?.["topic"], removed.after, removed.status], ["orders", null, 204]);
});

test("tokens are recorded by what they may do, and secrets by their names", async () => {
  const answer = await host.send("POST", "/v1/tokens", { scopes: ["deploy"], label: "ci" });
  const { token, id } = answer.json() as { token: string; id: string };
  const made = await newest();
  assert.deepEqual([made.after?.["id"], made.after?.["label"]], [id, "ci"]);
  const headers = { authorization: `Bearer ${token}` };
  await host.ask("PUT", "/v1/functions/shop/secrets/KEY", { body: "hunter2", headers });
  const set = await newest();
  assert.deepEqual([set.who, set.target], [`token ${id}`, "/v1/functions/shop/secrets/KEY"]);
  const { text } = await host.ask("GET", "/v1/audit?limit=1000");
  assert.ok(text.includes('"KEY"') && !text.includes("hunter2") && !text.includes(token));
  await host.ask("DELETE", `/v1/tokens/${id}`);
  assert.deepEqual([(await newest()).before?.["label"], (await newest()).after], ["ci", null]);
});

test("what is refused, what is read and what is data leaves no entry", async () => {
  const before = (await newest()).id;
  await host.upload("shop", Buffer.from("no module"));
  await host.send("PUT", "/v1/functions/shop/config", { timeoutMs: 0 });
  await host.ask("DELETE", "/v1/functions/absent");
  await host.ask("GET", "/v1/functions");
  await host.ask("PUT", "/v1/kv/links/a", { body: "x" });
  await host.ask("PUT", "/v1/blobs/files/a", { body: "x" });
  assert.equal((await newest()).id, before);
});

test("entries are listed newest first, page by page, and a namespace sees its own", async () => {
  for (const name of ["one", "two", "three"]) {
    await host.ask("PUT", `/v1/namespaces/team/functions/${name}/config`, { body: "{}" });
  }
  const all = await entries("?limit=1000");
  assert.deepEqual(
    all.map(({ id }) => id),
    all.map(({ id }) => id).sort((one, other) => other - one),
  );
  const paged: number[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "?limit=2" : `?limit=2&cursor=${cursor}`;
    const page = (await host.ask("GET", `/v1/audit${query}`)).json() as {
      entries: Entry[];
      cursor: string | null;
    };
    paged.push(...page.entries.map(({ id }) => id));
    cursor = page.cursor;
  }
  assert.deepEqual(
    paged,
    all.map(({ id }) => id),
  );
  const team = await entries("", "/v1/namespaces/team");
  assert.deepEqual(
    team.map(({ target }) => target),
    ["three", "two", "one"].map((name) => `/v1/functions/${name}/config`),
  );
  assert.ok(all.some(({ namespace }) => namespace === "team"));
});
