// Every example answers as its example.json says: the curl commands of `npm start` are made of it.

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { callGuest } from "./guest-harness.ts";
import { exampleModule, examplesDirectory } from "./guests.ts";

type Example = {
  readonly description: string;
  readonly request: {
    readonly path: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly expect: { readonly status: number; readonly contentType: string };
};

for (const name of readdirSync(examplesDirectory)) {
  test(`${name} answers its sample request as it says`, async () => {
    const example: Example = JSON.parse(readFileSync(join(examplesDirectory, name, "example.json"), "utf8"));
    const [path = "/", query = ""] = example.request.path.split("?");
    const { method = "GET", headers = {}, body = "" } = example.request;
    const module = await exampleModule(name);
    const answer = callGuest(module, { method, path, query, headers: Object.entries(headers), body });
    assert.equal(answer.status, example.expect.status, answer.text);
    assert.equal(answer.contentType, example.expect.contentType);
    assert(answer.body.length > 0);
    assert.match(example.description, /^[A-Z].{10,}[^.]$/);
  });
}
