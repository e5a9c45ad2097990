// The promise: every example deploys, and answers through the host as its example.json says.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { compileFunction } from "../../host/build/compile.ts";
import { TestHost } from "../support/test-host.ts";

type Example = {
  readonly description: string;
  readonly request: {
    readonly path: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  };
  readonly expect: { readonly status: number; readonly contentType: string };
};

const folder = join(import.meta.dirname, "../../guest/examples");
const host = await TestHost.start();
after(() => host.close());

const wanted = new Map<string, RegExp>([
  ["hello", /^Hello, Ada!$/],
  ["json-api", /"total":\s*9/],
  ["markdown", /<h1>Hello <em>world<\/em><\/h1>/],
  ["mandelbrot", /^.PNG\r\n/],
  ["qr", /^(<\?xml[^>]*>\s*)?<svg [\s\S]*<\/svg>\s*$/],
]);

for (const name of readdirSync(folder).sort()) {
  const example = JSON.parse(readFileSync(join(folder, name, "example.json"), "utf8")) as Example;
  test(`the example ${name} answers through the host: ${example.description}`, async () => {
    const { wasm } = await compileFunction({ file: join(folder, name, "index.ts") });
    const url = `${host.host.url}/v1/functions/${name}`;
    const deployed = await fetch(url, { method: "PUT", body: new Uint8Array(wasm) });
    assert.equal(deployed.status, 201, await deployed.text());
    const { path, method, headers = {}, body } = example.request;
    const answer = await fetch(`${host.host.url}/fn/${name}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers,
      body: body ?? null,
    });
    assert.equal(answer.status, example.expect.status);
    assert.equal(answer.headers.get("content-type"), example.expect.contentType);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const pattern = wanted.get(name);
    assert.ok(pattern, `no expectation for the example ${name}`);
    assert.match(bytes.toString("latin1"), pattern);
  });
}
