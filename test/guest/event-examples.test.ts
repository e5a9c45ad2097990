// The examples that events start, end to end on a host: what comes in by HTTP, what is there in the end.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { exampleFile, readExample } from "../../scripts/examples.ts";
import { until } from "../flow/supervised-host.ts";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";

let host: TestHost;

const deploy = async (name: string, further: Readonly<Record<string, object>> = {}): Promise<void> => {
  await host.deploy(name, await compiled(exampleFile(name)));
  const { triggers = {} } = await readExample(name);
  for (const [trigger, settings] of Object.entries(triggers)) {
    const all = { ...settings, ...further[trigger] };
    const added = await host.send("PUT", `/v1/functions/${name}/triggers/${trigger}`, all);
    assert.equal(added.status, 201, added.text);
  }
};
const get = async (path: string): Promise<string> => (await host.ask("GET", path)).text;
const shorten = async (link: string): Promise<string> => {
  const made = await host.call("url-shortener", { body: link });
  return (made.json() as { name: string }).name;
};

before(async () => {
  host = await TestHost.start();
  await deploy("url-shortener");
});
after(() => host.close());

test("audit-log: every change of a link is a line in a blob, once", async () => {
  await deploy("audit-log");
  const names = [await shorten("https://example.com/1"), await shorten("https://example.com/2")];
  await host.ask("PUT", `/v1/kv/links/${names[0]}`, { body: "https://example.com/3" });
  await host.ask("DELETE", `/v1/kv/links/${names[0]}`);
  const lines = async () => {
    const text = await get("/fn/audit-log");
    return text.startsWith("{")
      ? text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
      : [];
  };
  await until(async () => (await lines()).length === 4, 20_000);
  const shown = (await lines())
    .map(({ change, data }) => `${change} ${data.key} ${data.oldValue} ${data.value}`)
    .sort();
  assert.deepEqual(
    shown,
    [
      `mayfly.kv.deleted ${names[0]} https://example.com/3 null`,
      `mayfly.kv.set ${names[0]} https://example.com/1 https://example.com/3`,
      `mayfly.kv.set ${names[0]} null https://example.com/1`,
      `mayfly.kv.set ${names[1]} null https://example.com/2`,
    ].sort(),
  );
});

test("daily-report: a schedule reads a store and writes a blob", async () => {
  const name = await shorten('https://example.com/"quoted"');
  for (let visit = 0; visit < 3; visit += 1) await host.ask("GET", `/fn/url-shortener/${name}`);
  await deploy("daily-report", { nightly: { cron: "* * * * * *" } });
  await until(async () => !(await get("/fn/daily-report")).startsWith("No"), 20_000);
  const [day = ""] = (await get("/fn/daily-report")).split("\n");
  assert.match(day, /^\d{4}-\d\d-\d\d$/);
  const table = await get(`/fn/daily-report/${day}`);
  assert.ok(table.startsWith("name,visits,link\n"), table);
  assert.ok(table.includes(`"${name}",3,"https://example.com/""quoted"""\n`), table);
  assert.equal((await host.ask("DELETE", "/v1/functions/daily-report/triggers/nightly")).status, 204);
});

test("order-pipeline: one topic, two functions, a dead letter that is redriven", async () => {
  await deploy("order-pipeline");
  await deploy("order-shipping", { ship: { backoffMs: 1 } });
  const placed = await host.call("order-pipeline", { body: '{"item":"lamp","count":2}' });
  assert.equal(placed.status, 202);
  const { order } = placed.json() as { order: string };
  // Of others there may be some: instants that waited when their schedule was removed.
  const dead = async () => {
    const { events } = (await host.ask("GET", "/v1/events?state=dead&function=order-shipping")).json() as {
      events: { id: number; function: string; attempts: number; error: { lines: string[] } }[];
    };
    return events;
  };
  await until(async () => (await dead()).length === 1, 20_000);
  const [letter] = await dead();
  assert.deepEqual([letter?.function, letter?.attempts], ["order-shipping", 3]);
  assert.deepEqual(letter?.error.lines, ["warn out of lamp"]);
  // The other listener has its own copy.
  await until(async () => (await host.ask("GET", `/v1/kv/charged/${order}`)).status === 200, 10_000);
  assert.equal((await host.ask("POST", "/fn/order-shipping/stock/lamp", { body: "5" })).text, '{"left":5}');
  assert.equal((await host.ask("POST", `/v1/events/${letter?.id}/redrive`)).status, 200);
  await until(async () => (await host.ask("GET", `/v1/kv/shipped/${order}`)).status === 200, 10_000);
  await until(async () => (await get("/fn/order-shipping/stock/lamp")) === '{"left":3}', 10_000);
  assert.deepEqual(await dead(), []);
  for (const body of [
    "",
    "{}",
    '{"item":"lamp"}',
    '{"item":7,"count":1}',
    "[1]",
    '{"item":"lamp","count":0}',
  ]) {
    const answer = await host.call("order-pipeline", { body });
    assert.ok([400, 502].includes(answer.status), `${body}: ${answer.status}`);
  }
});
