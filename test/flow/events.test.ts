// Events from their publication to the function, on a host: topics, schedules, dead letters, a function
// that starts itself.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

type Listed = {
  readonly id: number;
  readonly state: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string; readonly lines: string[] } | null;
};

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  const file = join(import.meta.dirname, "../guest/functions/events.as.ts");
  await host.deploy("notes", await compiled(file));
  await trigger("on-notes", { kind: "topic", topic: "notes", path: "/on?x=1", attemptsMax: 2, backoffMs: 1 });
});
after(() => host.close());

const trigger = async (name: string, settings: object): Promise<void> => {
  const { status, text } = await host.send("PUT", `/v1/functions/notes/triggers/${name}`, settings);
  assert.ok(status === 200 || status === 201, text);
};
const publish = (type: string, id: string, topic = "notes") =>
  host.ask("POST", `/v1/topics/${topic}`, {
    body: "data",
    headers: { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": type },
  });
const kept = async (key: string): Promise<string | null> => {
  const { status, text } = await host.ask("GET", `/v1/kv/seen/${encodeURIComponent(key)}`);
  return status === 200 ? text : null;
};
const dead = async (): Promise<Listed[]> =>
  ((await host.ask("GET", "/v1/events?state=dead")).json() as { events: Listed[] }).events;

test("an event starts the function that listens, as an HTTP request in binary mode", async () => {
  const answer = await publish("good", "one");
  assert.equal(answer.status, 202);
  assert.deepEqual(answer.json(), { ids: ["one"], deliveries: 1 });
  await until(async () => (await kept("event-one")) !== null, 10_000);
  assert.equal(await kept("event-one"), "/test|none|none|/on|none|data");
  assert.deepEqual((await publish("good", "two", "nobody")).json(), { ids: ["two"], deliveries: 0 });
});

test("what a function publishes is delivered, and says which function it is from", async () => {
  const id = (await host.call("notes", { body: "from a guest" })).text;
  await until(async () => (await kept(`event-${id}`)) !== null, 10_000);
  assert.equal(await kept(`event-${id}`), "/functions/notes|ü|7|/on|text/plain; charset=utf-8|from a guest");
});

test("a function that fails or traps is tried again, and then the event is a dead letter with the reason", async () => {
  await publish("fails", "f1");
  await publish("traps", "t1");
  await until(async () => (await dead()).length === 2, 20_000);
  const [fails, traps] = await dead();
  assert.deepEqual(fails?.error, {
    code: "refused",
    message: 'The function "notes" answered 503: not today',
    lines: ["warn attempt 2"],
  });
  assert.deepEqual([traps?.attempts, traps?.error?.code], [2, "guest_trapped"]);
  assert.deepEqual([await kept("count-fails"), await kept("count-traps")], ["2", "2"]);
  assert.equal((await host.ask("POST", `/v1/events/${fails?.id}/redrive`)).status, 200);
  await until(async () => (await kept("count-fails")) === "4" && (await dead()).length === 2, 20_000);
  for (const { id } of await dead()) assert.equal((await host.ask("DELETE", `/v1/events/${id}`)).status, 204);
  assert.deepEqual(await dead(), []);
});

test("events that start what publishes them come to an end", async () => {
  await publish("loops", "l1");
  await until(async () => (await dead()).length === 1, 30_000);
  const [last] = await dead();
  assert.equal(last?.error?.code, "guest_trapped");
  assert.match(last?.error?.lines.join() ?? "", /too_deep: The event stems from 17 calls/);
  const count = Number(await kept("count-loops"));
  // Each level once, but the last, which was tried twice.
  assert.equal(count, limits.callDepthMax + 1);
  assert.equal((await host.ask("DELETE", `/v1/events/${last?.id}`)).status, 204);
});

test("a schedule fires, each instant once, until it is removed", async () => {
  await trigger("every-second", { kind: "schedule", cron: "* * * * * *" });
  const instants = async (): Promise<string[]> => {
    const { keys } = (await host.ask("GET", "/v1/kv/seen?prefix=event-notes/every-second/")).json() as {
      keys: { key: string; version: number }[];
    };
    return keys.map(({ key }) => key);
  };
  await until(async () => (await instants()).length >= 2, 20_000);
  assert.equal((await host.ask("DELETE", "/v1/functions/notes/triggers/every-second")).status, 204);
  const fired = Number(await kept("count-mayfly.schedule.due"));
  assert.ok(fired >= 2);
  assert.equal((await instants()).length, fired);
  assert.match(
    (await kept((await instants())[0] ?? "")) ?? "",
    /^\/functions\/notes\/triggers\/every-second\|/,
  );
});

test("a key whose time is over starts the function that listens, once", async () => {
  await trigger("gone", { kind: "kv", store: "brief", on: ["expired"], values: true });
  const set = await host.ask("PUT", "/v1/kv/brief/k?ttl=0.05", { body: "was here" });
  assert.equal(set.status, 201);
  const found = async (): Promise<string[]> => {
    const { keys } = (await host.ask("GET", "/v1/kv/seen?prefix=event-")).json() as {
      keys: { key: string }[];
    };
    const texts = await Promise.all(keys.map(({ key }) => kept(key)));
    return texts.flatMap((text) => (text?.startsWith("/kv/brief|k|") ? [text] : []));
  };
  await until(async () => (await found()).length > 0, 10_000);
  assert.match((await found())[0] ?? "", /"value":null,"oldValue":"was here"/);
  assert.equal(await kept("count-mayfly.kv.expired"), "1");
});

test("a removed function's events are dead letters", async () => {
  await trigger("paused", { kind: "topic", topic: "later", paused: true });
  await publish("good", "p1", "later");
  assert.equal((await host.ask("DELETE", "/v1/functions/notes")).status, 204);
  await until(async () => (await dead()).length === 1, 10_000);
  assert.equal((await dead())[0]?.error?.code, "function_not_found");
});
