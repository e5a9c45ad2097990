// D3: two tenants with the same names, and every list and every address of the control plane: whatever one does,
// the other sees nothing of it.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { answering } from "../support/guests.ts";
import type { Answer, Ask } from "../support/http-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const root = "the-host-s-own-token";
const tenants = ["default", "red", "default-red"] as const;
type Tenant = (typeof tenants)[number];

let host: TestHost;
const tokens = new Map<Tenant, string>();
before(async () => {
  host = await TestHost.start({ token: root });
  const headers = { authorization: `Bearer ${root}` };
  for (const tenant of tenants) {
    await host.ask("PUT", `/v1/namespaces/${tenant}`, { headers, body: "{}" });
    const body = JSON.stringify({ scopes: ["admin"] });
    const made = await host.ask("POST", `/v1/namespaces/${tenant}/tokens`, { headers, body });
    tokens.set(tenant, (made.json() as { token: string }).token);
  }
});
after(() => host.close());

const as = (tenant: Tenant, method: string, path: string, rest: Ask = {}): Promise<Answer> =>
  host.ask(method, `/v1/namespaces/${tenant}${path}`, {
    ...rest,
    headers: { authorization: `Bearer ${tokens.get(tenant)}`, ...rest.headers },
  });

/** Names that are like one another, and like parts of qualified ones. */
const names = ["a", "b", "red", "default", "a-red"];
const keys = ["k", "a.b", "../a", "a/b", "%", "*", ">", "red"];

test("D3: what a tenant has put is what it sees, and nothing else, after any changes", async (context) => {
  const random = seededRandom(context);
  const pick = <value>(from: readonly value[]): value => from[Math.floor(random() * from.length)] as value;
  const kept = new Map<string, string>();
  for (let step = 0; step < 300; step += 1) {
    const tenant = pick(tenants);
    const root = pick(["kv", "blobs"] as const);
    const [name, key] = [pick(names), pick(keys)];
    const path = `/${root}/${name}/${encodeURIComponent(key)}`;
    const id = `${tenant} ${root} ${name} ${key}`;
    if (random() < 0.7) {
      const value = `${tenant} ${step}`;
      assert.ok((await as(tenant, "PUT", path, { body: value })).status <= 201);
      kept.set(id, value);
    } else {
      assert.equal((await as(tenant, "DELETE", path)).status, kept.delete(id) ? 204 : 404);
    }
  }
  for (const tenant of tenants) {
    for (const root of ["kv", "blobs"] as const) {
      const seen = new Set<string>();
      for (const name of names) {
        for (const key of keys) {
          const answer = await as(tenant, "GET", `/${root}/${name}/${encodeURIComponent(key)}`);
          const value = kept.get(`${tenant} ${root} ${name} ${key}`);
          assert.equal(answer.status === 200 ? answer.text : undefined, value);
          if (value !== undefined) seen.add(name);
        }
      }
      const listed = (await as(tenant, "GET", `/${root}`)).json() as Record<string, Record<string, string>[]>;
      const found = Object.values(listed)[0]?.map((row) => row["store"] ?? row["bucket"]);
      assert.deepEqual(new Set(found), seen);
    }
  }
});

test("D3: functions, triggers, events, calls and logs of one tenant are none of another", async () => {
  for (const tenant of ["default", "red"] as const) {
    assert.equal((await as(tenant, "PUT", "/functions/a", { body: answering(tenant) })).status, 201);
    const trigger = { kind: "topic", topic: "orders", paused: true };
    await as(tenant, "PUT", "/functions/a/triggers/t", { body: JSON.stringify(trigger) });
  }
  const event = JSON.stringify({ specversion: "1.0", id: "1", type: "t", source: "/s" });
  const sent = { body: event, headers: { "content-type": "application/cloudevents+json" } };
  const published = await as("red", "POST", "/topics/orders", sent);
  assert.equal((published.json() as { deliveries: number }).deliveries, 1);
  type Events = { events: { id: number; function: string }[] };
  const { events } = (await as("red", "GET", "/events")).json() as Events;
  assert.deepEqual(
    events.map((each) => each.function),
    ["a"],
  );
  assert.deepEqual(((await as("default", "GET", "/events")).json() as Events).events, []);
  const id = events[0]?.id;
  for (const [method, path] of [
    ["GET", `/events/${id}`],
    ["DELETE", `/events/${id}`],
    ["POST", `/events/${id}/redrive`],
  ] as const) {
    assertProblem(await as("default", method, path), 404, "event_not_found");
  }
  assert.equal((await as("red", "GET", `/events/${id}`)).status, 200);
  const accepted = await host.ask("GET", "/ns/red/fn/a", { headers: { prefer: "respond-async" } });
  const call = (accepted.json() as { id: string }).id;
  assert.equal(accepted.header("location"), `/v1/namespaces/red/invocations/${call}`);
  assertProblem(await as("default", "GET", `/invocations/${call}`), 404, "invocation_not_found");
  assertProblem(await as("default", "DELETE", `/invocations/${call}`), 404, "invocation_not_found");
  assert.equal((await as("red", "GET", `/invocations/${call}`)).status, 200);
  const { invocations } = (await as("default", "GET", "/invocations")).json() as { invocations: unknown[] };
  assert.deepEqual(invocations, []);
  // By any other's token all of it is forbidden.
  for (const path of ["/functions", "/kv", "/events", "/audit", "/tokens", "/functions/a/logs"]) {
    const headers = { authorization: `Bearer ${tokens.get("default")}` };
    assertProblem(await as("red", "GET", path, { headers }), 403, "forbidden");
  }
});
