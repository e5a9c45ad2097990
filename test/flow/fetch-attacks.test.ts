// Servers and functions that do their worst by way of fetch: places, connections and memory come back,
// and nobody else is kept waiting or told another's answer.

import { strict as assert } from "node:assert";
import { request as httpRequest } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering, assemble, literal } from "../support/guests.ts";
import { fetchMessage } from "../support/messages.ts";
import { TestHost } from "../support/test-host.ts";
import { fetcher, fetching } from "./fetch-guest.ts";
import { until } from "./supervised-host.ts";

/** What the server does with a connection and each piece of a request on it; set by each test. */
let act: (socket: Socket, text: string) => void = () => {};
const sockets = new Set<Socket>();
let connections = 0;
const server = createServer((socket) => {
  connections += 1;
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => {});
  socket.on("data", (chunk) => act(socket, chunk.toString("latin1")));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const ok = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** Looks up names that begin with "slow" when it is told to. */
const slow = Promise.withResolvers<void>();
const host = await TestHost.start({
  resolve: async (name) => {
    if (name.startsWith("slow")) await slow.promise;
    return [{ address: "127.0.0.1", family: 4 }];
  },
});
after(async () => {
  slow.resolve();
  await host.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
const { fetch, fails } = fetching(host);
for (const name of ["fetcher", "other"]) {
  await host.deploy(name, fetcher());
  await host.configure(name, { allowedHosts: ["*", "127.0.0.1"], concurrency: 200 });
}
const liveCalls = async (): Promise<number> =>
  Number(/^mayfly_live_calls (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1]);

test("an answer that would turn the connection into another thing is a failure, and keeps no place", async () => {
  const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
  act = (socket) => void socket.write(switching);
  for (let round = 0; round <= limits.fetchesAtOncePerFunctionMax / 8; round += 1) {
    await Promise.all(Array.from({ length: 8 }, () => fails(base, "unreachable")));
  }
  act = (socket) => void socket.write(ok("good"));
  assert.equal((await fetch(base)).text, "good");
});

test("a server that answers and takes no more of the request keeps no connection", async () => {
  act = (socket) => {
    socket.pause();
    socket.write(ok("ok"));
  };
  const body = Buffer.alloc(limits.requestBodyBytesMax - 1_000);
  for (let count = 0; count < 4; count += 1) {
    assert.equal((await fetch({ url: base, method: "POST", body })).text, "ok");
  }
  for (const socket of sockets) socket.resume();
  await until(() => sockets.size === 0, 30_000);
});

test("a connection that was closed under a POST is unreachable, and a GET is sent anew", async () => {
  const closing = (socket: Socket, text: string): void => {
    if (text.startsWith("POST") || text.includes("/again")) socket.destroy();
    else socket.write(ok("first"));
  };
  act = closing;
  assert.equal((await fetch(`${base}/first`)).text, "first");
  await fails({ url: base, method: "POST", body: "x" }, "unreachable");
  assert.equal((await fetch(`${base}/first`)).text, "first");
  const before = connections;
  act = (socket, text) => (connections === before ? closing(socket, text) : socket.write(ok("anew")));
  assert.equal((await fetch(`${base}/again`)).text, "anew");
  assert.equal(connections, before + 1);
});

test("what one function sends gets between no other one's request and its answer", async () => {
  let smuggled = false;
  // Takes a GET to have no body, and what follows to be the next request.
  act = (socket, text) => {
    if (text.includes("/poison")) {
      smuggled = true;
      socket.write(ok("first"));
      setTimeout(() => socket.write(ok("poison")), 50);
    } else socket.write(ok("victim"));
  };
  const body = "GET /poison HTTP/1.1\r\nhost: x\r\n\r\n";
  assert.equal((await fetch({ url: `${base}/first`, method: "GET", body })).text, "first");
  assert.equal((await fetch(`${base}/victim`, "other")).text, "victim");
  assert.ok(smuggled);
});

test("who waits for a place leaves with its call", async () => {
  let asked = 0;
  act = () => {
    asked += 1;
  };
  const message = fetchMessage({ url: base });
  // One page of memory: many of them find room.
  await host.deploy(
    "holder",
    assemble(`(module (import "mayfly" "fetch" (func $fetch (param i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "${literal(message)}")
      (func (export "mayfly_handle") (param i32) (drop (call $fetch (i32.const 0) (i32.const ${message.length})))))`),
  );
  await host.configure("holder", { allowedHosts: ["127.0.0.1"], concurrency: 200 });
  const ask = () => {
    const sent = httpRequest({ port: host.port, path: "/fn/holder" });
    sent.on("error", () => {});
    sent.end();
    return sent;
  };
  const holders = Array.from({ length: limits.fetchesAtOncePerFunctionMax }, ask);
  await until(() => asked === holders.length, 20_000);
  const waiting = Array.from({ length: 20 }, ask);
  for (const sent of [...waiting, ...holders]) sent.destroy();
  await until(async () => (await liveCalls()) === 0, 20_000);
  act = (socket) => void socket.write(ok("good"));
  assert.equal((await fetch(base)).text, "good");
});

test("a function whose names are slow to look up waits behind itself alone", async () => {
  act = (socket) => void socket.write(ok("good"));
  const { port } = new URL(base);
  for (let count = 0; count < 5; count += 1) {
    await fails({ url: `http://slow${count}.example:${port}/`, timeoutMs: 50 }, "timeout");
  }
  assert.equal((await fetch(`http://fast.example:${port}/`, "other")).text, "good");
  slow.resolve();
  assert.equal((await fetch(`http://slow.example:${port}/`)).text, "good");
});

test("a called function ends when its caller's client goes away", async () => {
  await host.deploy(
    "sleeper",
    assemble(`(module (import "mayfly" "sleep" (func $sleep (param f64))) (memory (export "memory") 1)
      (func (export "mayfly_handle") (param i32) (call $sleep (f64.const 600000))))`),
  );
  const sent = httpRequest({ port: host.port, path: "/fn/fetcher", method: "POST" });
  sent.on("error", () => {});
  sent.end(fetchMessage({ url: "http://sleeper.mayfly.internal/" }));
  await until(async () => (await liveCalls()) === 2, 10_000);
  sent.destroy();
  await until(async () => (await liveCalls()) === 0, 10_000);
  assert.equal((await fetch({ url: "http://sleeper.mayfly.internal/", timeoutMs: 50 })).status, 504);
  await until(async () => (await liveCalls()) === 0, 10_000);
});

test("functions that call one another do not wait for their own callers' places", async () => {
  await host.deploy("echo", answering("echo"));
  await host.configure("fetcher", { allowedHosts: ["*", "127.0.0.1"], concurrency: 1 });
  const inner = fetchMessage({ url: "http://echo.mayfly.internal/" });
  const answer = await fetch({ url: "http://fetcher.mayfly.internal/", method: "POST", body: inner });
  assert.deepEqual([answer.status, (answer.json() as { code: string }).code], [429, "concurrency_limited"]);
  await host.configure("fetcher", { allowedHosts: ["*", "127.0.0.1"], concurrency: 2 });
  const nested = await fetch({ url: "http://fetcher.mayfly.internal/", method: "POST", body: inner });
  assert.equal(nested.text, "echo");
});

test("nobody outside says which function asks", async () => {
  const said: string[] = [];
  act = (socket, text) => {
    said.push(/x-mayfly-function: (.*)\r/.exec(text)?.[1] ?? "");
    socket.write(ok("good"));
  };
  await host.call("fetcher", {
    body: fetchMessage({ url: base }),
    headers: { "x-mayfly-function": "billing" },
  });
  assert.deepEqual(said, ["fetcher"]);
});
