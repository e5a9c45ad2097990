// What guests fetch: from servers their configuration allows, over checked addresses, and from other
// functions; whatever goes wrong is told to the guest, and nothing else is reached.

import { strict as assert } from "node:assert";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { answering, assemble } from "../support/guests.ts";
import { type FetchParts, fetchMessage } from "../support/messages.ts";
import { TestHost } from "../support/test-host.ts";
import { fetcher, fetching } from "./fetch-guest.ts";
import { until } from "./supervised-host.ts";

type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

const seen: Seen[] = [];
let connections = 0;
let closed = 0;
const routes: Record<string, (response: ServerResponse, url: URL) => void> = {
  "/slow": () => {},
  "/large": (response) => void response.end(Buffer.alloc(7 * 1024 * 1024)),
  "/endless": (response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(1024 * 1024)), 1);
    response.once("close", () => clearInterval(timer));
  },
  "/cut": (response) => {
    response.writeHead(200, { "content-length": 100 });
    response.write("part", () => response.destroy());
  },
  "/reset": (response) => response.destroy(),
  "/to": (response, url) => {
    response.writeHead(Number(url.searchParams.get("status") ?? 302), {
      location: url.searchParams.get("at") ?? "/",
    });
    response.end("moved");
  },
  "/headers": (response) => {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.setHeader("X-Bytes", "\u00e9");
    response.end(Buffer.from("h"));
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://x");
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method = "", headers } = request;
    seen.push({ method, url: request.url ?? "", headers, body: Buffer.concat(chunks).toString() });
    const route = routes[url.pathname];
    if (route === undefined) response.end(`you asked ${url.pathname}`);
    else route(response, url);
  });
});
server.on("connection", (socket) => {
  connections += 1;
  socket.on("close", () => {
    closed += 1;
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
const base = `http://127.0.0.1:${port}`;

/** Answers of the resolver, one after the other; the last one stays. */
const names = new Map<string, string[][]>();
let lookups = 0;
const host = await TestHost.start({
  resolve: async (name) => {
    lookups += 1;
    const answers = names.get(name);
    const addresses = answers !== undefined && answers.length > 1 ? answers.shift() : answers?.[0];
    if (addresses === undefined) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  },
});
after(async () => {
  await host.close();
  server.closeAllConnections();
  server.close();
});

await host.deploy("fetcher", fetcher());
await host.deploy("good", answering("good"));
const allow = (...allowedHosts: string[]): Promise<void> => host.configure("fetcher", { allowedHosts });
await allow(`127.0.0.1:${port}`);

const { fetch, fails } = fetching(host);

test("a guest fetches: method, path, headers and body arrive, status, headers and body come back", async () => {
  const answer = await fetch({
    method: "PATCH",
    url: `${base}/a%20b?q=%2f#part`,
    headers: [
      ["X-Mine", "\u00fc"],
      ["connection", "x-hop"],
      ["x-hop", "1"],
      ["Host", "elsewhere.example"],
      ["content-length", "1"],
      ["transfer-encoding", "chunked"],
      ["X-Mayfly-Function", "another"],
    ],
    body: "a body",
  });
  assert.deepEqual([answer.status, answer.text], [200, "you asked /a%20b"]);
  const last = seen.at(-1);
  assert.deepEqual([last?.method, last?.url, last?.body], ["PATCH", "/a%20b?q=%2f", "a body"]);
  const { connection: _, ...headers } = last?.headers ?? {};
  assert.deepEqual(headers, {
    host: `127.0.0.1:${port}`,
    "x-mine": "\u00fc",
    "x-mayfly-function": "fetcher",
    "x-mayfly-depth": "1",
    "content-length": "6",
  });
  const more = await fetch(`${base}/headers`);
  assert.deepEqual(
    more.rawHeaders.filter((_, index) => more.rawHeaders[index - 1] === "set-cookie"),
    ["a=1", "b=2"],
  );
  assert.equal(more.header("x-bytes"), "\u00e9");
});

test("its time is wait, and counts as no CPU time", async () => {
  const answer = await fetch(base);
  assert.match(String(answer.header("server-timing")), /wait;dur=/);
});

test("HEAD has no body, whatever length it announces", async () => {
  const answer = await fetch({ method: "HEAD", url: `${base}/large` });
  assert.deepEqual([answer.status, answer.bytes.length], [200, 0]);
});

test("connections are used again", async () => {
  await fetch(base);
  const before = connections;
  for (let count = 0; count < 5; count += 1) await fetch(base);
  assert.equal(connections, before);
});

const invalid: [what: string, parts: FetchParts][] = [
  ["no URL", { url: "" }],
  ["a path alone", { url: "/x" }],
  ["a file", { url: "file:///etc/passwd" }],
  ["data", { url: "data:,x" }],
  ["a web socket", { url: "ws://127.0.0.1/" }],
  ["FTP", { url: "ftp://127.0.0.1/" }],
  ["a user name", { url: `http://u:p@127.0.0.1:${port}/` }],
  ["CONNECT", { url: base, method: "CONNECT" }],
  ["trace in lower case", { url: base, method: "trace" }],
  ["a method of two lines", { url: base, method: "GET / HTTP/1.1\r\nx: y" }],
  ["no method", { url: base, method: "" }],
  ["a header name of two lines", { url: base, headers: [["a\r\nb", "1"]] }],
  ["a header value of two lines", { url: base, headers: [["a", "1\r\nb: 2"]] }],
  ["a header value beyond bytes", { url: base, headers: [["a", "\u0100"]] }],
  [
    "too many headers",
    { url: base, headers: Array.from({ length: 101 }, (_, i) => [`a${i}`, "1"] as const) },
  ],
  ["headers too large", { url: base, headers: [["a", "x".repeat(70_000)]] }],
];
for (const [what, parts] of invalid) {
  test(`${what} is invalid_request`, async () => {
    const before = seen.length;
    await fails(parts, "invalid_request");
    assert.equal(seen.length, before);
  });
}

test("a message cut short or with lengths that leave it is invalid_request", async () => {
  const whole = fetchMessage({ url: base });
  for (let length = 0; length < whole.length; length += 7) {
    const answer = await host.call("fetcher", { body: whole.subarray(0, length) });
    assert.match(answer.text, /^invalid_request: /, String(length));
  }
});

test("nothing is reached that is not listed", async () => {
  await allow();
  const { text } = await fails(base, "host_not_allowed");
  assert.match(text, /add "127\.0\.0\.1" to the function's allowedHosts/);
  await allow(`127.0.0.1:${port + 1}`);
  await fails(base, "host_not_allowed");
  await allow(`127.0.0.1:${port}`);
  assert.equal((await fetch(base)).status, 200);
});

test("D7: with every public host allowed, no spelling reaches this machine or the networks around it", async () => {
  await allow("*", "localhost", "*.example");
  names.set("localhost", [["127.0.0.1", "::1"]]);
  names.set("inner.example", [["10.0.0.1"]]);
  names.set("mixed.example", [["1.1.1.1", "127.0.0.1"]]);
  names.set("mapped.example", [["::ffff:127.0.0.1"]]);
  const before = connections;
  const hosts = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "%31%32%37.0.0.1",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "inner.example",
    "mixed.example",
    "mapped.example",
  ];
  for (const name of hosts) await fails(`http://${name}:${port}/`, "host_not_allowed");
  assert.equal(connections, before);
});

test("a listed name that leads to a private address needs the address listed too", async () => {
  names.set("here.example", [["127.0.0.1"]]);
  await allow("here.example");
  const { text } = await fails(`http://here.example:${port}/`, "host_not_allowed");
  assert.match(text, /here\.example leads to 127\.0\.0\.1,.*add "127\.0\.0\.1"/);
  await allow("here.example", "127.0.0.0/8");
  const answer = await fetch(`http://here.example:${port}/by-name`);
  assert.equal(answer.text, "you asked /by-name");
  assert.equal(seen.at(-1)?.headers.host, `here.example:${port}`);
});

test("D8: a name is looked up once for a hop, and the connection goes where the check looked", async () => {
  // To look again would find the server; where the check looked, nothing answers.
  names.set("rebound.example", [["127.0.0.2"], ["127.0.0.1"]]);
  await allow("rebound.example", "127.0.0.0/8");
  const before = lookups;
  await fails(`http://rebound.example:${port}/`, "unreachable");
  assert.equal(lookups, before + 1);
});

test("a connection of a function that may is not used by one that may not", async () => {
  names.set("shared.example", [["127.0.0.1"], ["1.1.1.1"], ["127.0.0.1"]]);
  await allow("shared.example", "127.0.0.1");
  assert.equal((await fetch(`http://shared.example:${port}/`)).status, 200);
  const before = seen.length;
  // Public now: allowed, but the open connection leads elsewhere. What is there is not ours to say.
  const answer = await fetch({ url: `http://shared.example:${port}/`, timeoutMs: 50 });
  assert.match(answer.text, /^(timeout|unreachable): /);
  assert.equal(seen.length, before);
});

test("D9: redirects are followed at most five times, each checked as the first", async () => {
  await allow(`127.0.0.1:${port}`);
  const to = (at: string, status = 302): string => `${base}/to?status=${status}&at=${encodeURIComponent(at)}`;
  assert.equal((await fetch(to("/there"))).text, "you asked /there");
  const chain = (hops: number): string => (hops === 0 ? "/end" : to(chain(hops - 1)));
  assert.equal((await fetch(chain(5))).text, "you asked /end");
  await fails(chain(6), "too_many_redirects");
  await fails({ url: chain(2), redirects: 1 }, "too_many_redirects");
  const kept = await fetch({ url: to("/x", 307), redirects: 0 });
  assert.deepEqual([kept.status, kept.header("location"), kept.text], [307, "/x", "moved"]);
  await fails(to("http://example.com/"), "host_not_allowed");
  await fails(to("http://good.mayfly.internal/"), "host_not_allowed");
  await fails(to("file:///etc/passwd"), "invalid_request");
  await fails(to(`http://u:p@127.0.0.1:${port}/`), "invalid_request");
  const posted = await fetch({ method: "POST", url: to("/got", 303), body: "b" });
  assert.equal(posted.text, "you asked /got");
  assert.deepEqual([seen.at(-1)?.method, seen.at(-1)?.body], ["GET", ""]);
});

test("D10: an answer that is too large, too slow or cut off is a failure, and its connection is closed", async () => {
  const open = connections - closed;
  await fails(`${base}/large`, "answer_too_large");
  await fails(`${base}/endless`, "answer_too_large");
  await fails({ url: `${base}/slow`, timeoutMs: 50 }, "timeout");
  await fails(`${base}/cut`, "unreachable");
  await fails({ method: "POST", url: `${base}/reset` }, "unreachable");
  await until(async () => connections - closed <= open, 10_000);
  await fails("http://127.0.0.1:1/", "host_not_allowed");
  await allow("127.0.0.1", "nowhere.example");
  await fails("http://127.0.0.1:1/", "unreachable");
  await fails("http://nowhere.example/", "unreachable");
});

test("a call that ends while it fetches closes the connection, and its thread lives on", async () => {
  const before = seen.length;
  await host.configure("fetcher", { allowedHosts: ["127.0.0.1"], timeoutMs: 150 });
  const open = connections - closed;
  const answer = await fetch(`${base}/slow`);
  assert.equal(answer.status, 504);
  assert.equal(seen.length, before + 1);
  await until(async () => connections - closed <= open, 10_000);
  assert.equal((await host.call("good")).text, "good");
});

test("a call fetches a thousand times and no more", async () => {
  await host.deploy("storm", fetcher(1_001));
  const { text } = await fails({ url: "http://" }, "overloaded", "storm");
  assert.match(text, /more than 1000 fetches/);
});

test("while one guest fetches, its thread runs others", async () => {
  await host.configure("fetcher", { allowedHosts: ["127.0.0.1"], concurrency: 200 });
  const slow = Array.from({ length: 100 }, () => fetch({ url: `${base}/slow`, timeoutMs: 2_000 }));
  await until(async () => seen.filter(({ url }) => url === "/slow").length >= 60, 10_000);
  // Sixty-four of one function at a time: the rest has not been sent.
  assert.equal((await host.call("good")).text, "good");
  for (const answer of await Promise.all(slow)) assert.match(answer.text, /^timeout: /);
});

test("the start function fetches nothing", async () => {
  const starts = assemble(`(module (import "mayfly" "fetch" (func $fetch (param i32 i32) (result i32)))
    (memory (export "memory") 1) (func $s (drop (call $fetch (i32.const 0) (i32.const 0)))) (start $s)
    (func (export "mayfly_handle") (param i32)))`);
  const answer = await host.upload("starter", starts);
  assert.deepEqual([answer.status, (answer.json() as { code: string }).code], [422, "start_failed"]);
});
