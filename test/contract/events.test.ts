// Topics, triggers and events over HTTP: what is taken, what is refused and how.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering } from "../support/guests.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("listens", answering("ok"));
});
after(() => host.close());

const base = "/v1/functions/listens/triggers";
const put = (name: string, settings: unknown, path = base) => host.send("PUT", `${path}/${name}`, settings);
const publish = (topic: string, value: unknown, contentType = "application/cloudevents+json") =>
  host.ask("POST", `/v1/topics/${topic}`, {
    body: typeof value === "string" ? value : JSON.stringify(value),
    headers: { "content-type": contentType },
  });
const event = { specversion: "1.0", id: "1", source: "/x", type: "t" };

test("a trigger is added, shown, changed and removed", async () => {
  const added = await put("orders", { kind: "topic", topic: "orders" });
  assert.equal(added.status, 201);
  const shown = (await host.ask("GET", `${base}/orders`)).json() as Record<string, unknown>;
  assert.deepEqual(
    [shown["id"], shown["function"], shown["topic"], shown["attemptsMax"]],
    ["orders", "listens", "orders", 5],
  );
  assert.equal((await put("orders", { kind: "topic", topic: "orders", attemptsMax: 1 })).status, 200);
  const { triggers } = (await host.ask("GET", base)).json() as {
    triggers: { id: string; attemptsMax: number }[];
  };
  assert.deepEqual(
    triggers.map(({ id, attemptsMax }) => [id, attemptsMax]),
    [["orders", 1]],
  );
  assert.equal((await host.ask("DELETE", `${base}/orders`)).status, 204);
  assertProblem(await host.ask("GET", `${base}/orders`), 404, "trigger_not_found");
  assertProblem(await host.ask("DELETE", `${base}/orders`), 404, "trigger_not_found");
});

test("a trigger that is none, or of no function, is refused", async () => {
  const topic = { kind: "topic", topic: "orders" };
  assertProblem(await put("t", topic, "/v1/functions/absent/triggers"), 404, "function_not_found");
  assertProblem(await put("No_Name", topic), 400, "invalid_name");
  for (const settings of [
    {},
    { kind: "other" },
    { kind: "topic" },
    { ...topic, topic: "No_Name" },
    { ...topic, attemptsMax: 0 },
    { ...topic, path: "no-slash" },
    { ...topic, path: "/a b" },
    { ...topic, extra: 1 },
    { kind: "schedule", cron: "never" },
    { kind: "schedule", cron: "0 0 30 2 *" },
    { kind: "schedule", cron: "0 0 * * *", timeZone: "Mars/Olympus" },
    { kind: "schedule", cron: "0 0 * * *", missed: "some" },
    "text",
  ]) {
    assertProblem(await put("t", settings), 400, "invalid_trigger");
  }
  assertProblem(await host.ask("PUT", `${base}/t`, { body: "{" }), 400, "invalid_trigger");
});

test("a function has so many triggers and no more", async () => {
  await host.deploy("many", answering("ok"));
  const path = "/v1/functions/many/triggers";
  const settings = { kind: "topic", topic: "unheard" };
  for (let index = 0; index < limits.triggersPerFunctionMax; index += 1) {
    assert.equal((await put(`t${index}`, settings, path)).status, 201);
  }
  assertProblem(await put("one-more", settings, path), 400, "invalid_trigger");
  assert.equal((await put("t0", settings, path)).status, 200);
});

test("what is published is CloudEvents, or refused", async () => {
  assert.equal((await publish("quiet", event)).status, 202);
  assert.deepEqual(
    (await publish("quiet", [event, { ...event, id: "2" }], "application/cloudevents-batch+json")).json(),
    { ids: ["1", "2"], deliveries: 0 },
  );
  assertProblem(await publish("quiet", { a: 1 }, "application/json"), 400, "invalid_event");
  assertProblem(await publish("quiet", "{"), 400, "invalid_event");
  assertProblem(await publish("quiet", { ...event, specversion: "9" }), 400, "invalid_event");
  for (const name of ["No_Topic", "No%20Topic", ".."]) {
    assertProblem(await publish(name, event), 400, "invalid_name");
    assertProblem(await put(name, { kind: "topic", topic: "t" }), 400, "invalid_name");
  }
  for (const path of ["kv/No%20Store", "blobs/No%20Bucket"]) {
    assertProblem(await host.ask("GET", `/v1/${path}`), 400, "invalid_name");
  }
  const large = { ...event, data: "x".repeat(limits.eventBytesMax) };
  assertProblem(await publish("quiet", large), 413, "event_too_large");
  assertProblem(await publish("quiet", "x".repeat(limits.requestBodyBytesMax + 1)), 413, "body_too_large");
});

test("an event that is shorter than announced is not stored", async () => {
  await put("cut", { kind: "topic", topic: "cut", paused: true });
  const raw = await RawConnection.open(host.port);
  const binary = "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /x\r\nce-type: t\r\n";
  raw.write(`POST /v1/topics/cut HTTP/1.1\r\nhost: localhost\r\n${binary}content-length: 9\r\n\r\nshort`);
  raw.socket.end();
  await raw.rest();
  assert.deepEqual((await publish("cut", event)).json(), { ids: ["1"], deliveries: 1 });
  const { events } = (await host.ask("GET", "/v1/events?trigger=cut")).json() as { events: object[] };
  assert.equal(events.length, 1);
});

test("events are listed page by page, shown with their data, and dropped", async () => {
  await put("holds", { kind: "topic", topic: "held", paused: true });
  for (const id of ["a", "b", "c"]) await publish("held", { ...event, id, data_base64: "AP8=" });
  type Page = { events: { id: number; attributes: { id: string } }[]; cursor: string | null };
  const first = (await host.ask("GET", "/v1/events?function=listens&trigger=holds&limit=2")).json() as Page;
  assert.deepEqual(
    first.events.map(({ attributes }) => attributes.id),
    ["a", "b"],
  );
  const rest = (await host.ask("GET", `/v1/events?limit=2&cursor=${first.cursor}`)).json() as Page;
  assert.deepEqual([rest.events.map(({ attributes }) => attributes.id), rest.cursor], [["c"], null]);
  const path = `/v1/events/${first.events[0]?.id}`;
  const shown = (await host.ask("GET", path)).json() as Record<string, unknown>;
  assert.deepEqual(
    [shown["state"], shown["attempts"], shown["bytes"], shown["data_base64"]],
    ["ready", 0, 2, "AP8="],
  );
  assertProblem(await host.ask("POST", `${path}/redrive`), 404, "event_not_found");
  assert.equal((await host.ask("DELETE", path)).status, 204);
  assertProblem(await host.ask("GET", path), 404, "event_not_found");
  assertProblem(await host.ask("DELETE", "/v1/events/x"), 404, "event_not_found");
  assertProblem(await host.ask("GET", "/v1/events?state=lost"), 400, "bad_request");
  assert.deepEqual((await host.ask("POST", "/v1/events/redrive?function=listens")).json(), { redriven: 0 });
});
