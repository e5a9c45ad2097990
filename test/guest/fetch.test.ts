// fetch of the SDK, against a server on this machine.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
let url = "";
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    if (request.url === "/slow") return;
    if (request.url === "/moved") return void response.writeHead(302, { location: "/there" }).end("away");
    if (request.url === "/echo") return void response.end(body);
    response.setHeader("link", ["<a>", "<b>"]);
    response.setHeader("content-type", "text/x-seen");
    const { "content-type": type, "x-a": a } = request.headers;
    response.writeHead(request.url === "/gone" ? 410 : 200);
    response.end(`${request.method} ${request.url} ${type} ${a} ${body}`);
  });
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  host = await TestHost.start();
  const file = join(import.meta.dirname, "functions", "fetch.as.ts");
  await host.deploy("fetch", await compiled(file));
  await host.configure("fetch", { allowedHosts: ["127.0.0.1"] });
});
after(async () => {
  await host.close();
  server.closeAllConnections();
  server.close();
});

const call = (path: string, target: string) => host.ask("POST", `/fn/fetch${path}`, { body: target });

test("fetch() gets a URL: status, headers and text", async () => {
  const { text } = await call("/get", `${url}/x`);
  assert.equal(text, "200 true text/x-seen <a>|<b>\nGET /x undefined undefined ");
  assert.match((await call("/get", `${url}/gone`)).text, /^410 false /);
});

test("FetchRequest.json() sends UTF-8 and says so", async () => {
  const { text } = await call("/json", `${url}/x`);
  assert.equal(text, '200 true text/x-seen <a>|<b>\nPUT /x application/json 1 {"ä":"😀"}');
});

test("bytes go there and come back as they are", async () => {
  const answer = await call("/bytes", `${url}/echo`);
  assert.deepEqual(
    [...answer.bytes],
    Array.from({ length: 256 }, (_, index) => index),
  );
});

test("redirects are followed unless told otherwise", async () => {
  assert.match((await call("/get", `${url}/moved`)).text, /GET \/there/);
  assert.equal((await call("/manual", `${url}/moved`)).text, "302 false none \naway");
});

test("a fetch that failed has the status 0 and says why", async () => {
  assert.match((await call("/timeout", `${url}/slow`)).text, /^false timeout: /);
  assert.match(
    (await call("/get", "http://example.com/")).text,
    /^false host_not_allowed: add "example\.com"/,
  );
});

test("the body of one that failed is not taken for empty: reading it ends the call, and the log says why", async () => {
  assertProblem(await call("/read", ""), 502, "guest_trapped");
  const [line] = (await host.logs("fetch")).slice(-1);
  assert.match(line?.message ?? "", /The fetch failed: invalid_request: /);
});
