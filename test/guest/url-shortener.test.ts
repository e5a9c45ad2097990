// The example url-shortener, on a host: its links outlive a call, and its visits are counted.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { exampleFile } from "../../scripts/examples.ts";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("short", await compiled(exampleFile("url-shortener")));

const target = "https://example.com/a?b=c";

test("a link gets a name, the name leads to it, and visits are counted", async () => {
  const made = await host.call("short", { body: target });
  assert.equal(made.status, 201);
  const { name, url } = made.json() as { name: string; url: string };
  assert.match(name, /^[a-z2-9]{6}$/);
  assert.equal(url, target);
  const visit = () => host.ask("GET", `/fn/short/${name}`);
  for (const answer of await Promise.all([visit(), visit(), visit()])) {
    assert.deepEqual([answer.status, answer.header("location")], [302, target]);
  }
  const visits = await host.ask("GET", `/fn/short/${name}/visits`);
  assert.deepEqual(visits.json(), { visits: 3 });
});

test("what is no link, no name or no method is told apart", async () => {
  assert.equal((await host.call("short", { body: "javascript:alert(1)" })).status, 400);
  assert.equal((await host.ask("GET", "/fn/short/nobody")).status, 404);
  assert.equal((await host.ask("GET", "/fn/short")).status, 405);
});
