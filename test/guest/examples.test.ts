// The promise: every example deploys, and answers through the host as its example.json says. The
// curl commands of `npm start` are made of the same file.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { exampleFile, exampleNames, readExample } from "../../scripts/examples.ts";
import { compiled } from "../support/compiled.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const wanted = new Map<string, RegExp>([
  ["hello", /^Hello, Ada!$/],
  ["json-api", /"total":\s*9/],
  ["markdown", /<h1>Hello <em>world<\/em><\/h1>/],
  ["mandelbrot", /^.PNG\r\n/],
  ["url-shortener", /^\{"name":"[a-z2-9]{6}","url":"https:\/\/webassembly.org\/specs\/"\}$/],
  ["audit-log", /^No changes yet\n$/],
  ["thumbnail", /^\{"thumbnails":\[\]\}$/],
  ["daily-report", /^No reports yet\n$/],
  ["order-pipeline", /^\{"order":"[0-9a-f-]{36}"\}$/],
  ["order-shipping", /^\{"left":0\}$/],
  ["ticker", /^event: tick\nid: 1\ndata: 20[^\n]*\n\nevent: tick\nid: 2\n/],
  ["qr", /^(<\?xml[^>]*>\s*)?<svg [\s\S]*<\/svg>\s*$/],
]);

for (const name of await exampleNames()) {
  const { description, request, expect, triggers = {} } = await readExample(name);
  test(`the example ${name} answers through the host: ${description}`, async () => {
    assert.match(description, /^[A-Z].{10,}[^.]$/);
    const wasm = await compiled(exampleFile(name));
    const url = `${host.host.url}/v1/functions/${name}`;
    const deployed = await fetch(url, { method: "PUT", body: wasm });
    assert.equal(deployed.status, 201, await deployed.text());
    for (const [trigger, settings] of Object.entries(triggers)) {
      const added = await fetch(`${url}/triggers/${trigger}`, {
        method: "PUT",
        body: JSON.stringify(settings),
      });
      assert.equal(added.status, 201, await added.text());
    }
    const { path, method, headers = {}, body } = request;
    const answer = await fetch(`${host.host.url}/fn/${name}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body: body ?? null,
    });
    assert.equal(answer.status, expect.status);
    assert.equal(answer.headers.get("content-type"), expect.contentType);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const pattern = wanted.get(name);
    assert.ok(pattern, `no expectation for the example ${name}`);
    assert.match(bytes.toString("latin1"), pattern);
  });
}
