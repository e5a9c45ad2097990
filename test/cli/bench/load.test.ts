// Holds the load generators to what they measure, and the connection under them to HTTP's framings.

import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { headerOf, phasesOf, statusOf } from "../../../host/cli/bench/answer-head.ts";
import { Caller, encodeRequest, isRefusal, type Request } from "../../../host/cli/bench/calls.ts";
import { closedLoop } from "../../../host/cli/bench/closed-loop.ts";
import { openLoop } from "../../../host/cli/bench/open-loop.ts";
import { heldRate } from "../../../host/cli/bench/warm.ts";

const never = new AbortController().signal;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const atOnceMax of [1_000, 1]) {
  test(`a stall is in the times of all calls due meanwhile, with ${atOnceMax} at once`, async () => {
    let openedAtMs = Number.POSITIVE_INFINITY;
    const opened = pause(300).then(() => {
      openedAtMs = performance.now();
    });
    const calls: { dueAtMs: number; tookMs: number }[] = [];
    const result = await openLoop({
      ...{ rate: 100, seconds: 0.5, atOnceMax, drainMs: 5_000, signal: never },
      async call(dueAtMs) {
        await opened;
        calls.push({ dueAtMs, tookMs: performance.now() - dueAtMs });
      },
    });
    assert.equal(result.due, 50);
    assert.equal(result.ended, 50);
    const stalled = calls.filter(({ dueAtMs }) => dueAtMs < openedAtMs);
    assert.ok(stalled.length >= 20, `${stalled.length} were due during the stall`);
    for (const { dueAtMs, tookMs } of stalled) assert.ok(tookMs >= openedAtMs - dueAtMs);
  });
}

test("the open loop sends at its rate and not before a call is due", async () => {
  const startMs = performance.now();
  const dues: number[] = [];
  await openLoop({
    ...{ rate: 200, seconds: 0.2, atOnceMax: 10, drainMs: 1_000, signal: never },
    async call(dueAtMs) {
      assert.ok(performance.now() >= dueAtMs);
      dues.push(dueAtMs);
    },
  });
  assert.equal(dues.length, 40);
  for (const [index, due] of dues.entries()) {
    assert.ok(due >= startMs && Math.abs(due - (dues[0] ?? 0) - index * 5) < 1e-6);
  }
});

test("the open loop ends on a failed call, on an interrupt, and after its drain", async () => {
  const options = { rate: 100, seconds: 30, atOnceMax: 2, drainMs: 50, signal: never };
  const call = (): Promise<void> => Promise.reject(new Error("no"));
  await assert.rejects(openLoop({ ...options, call }), /^Error: no$/);
  const controller = new AbortController();
  const stuck = (): Promise<void> => new Promise(() => {});
  setTimeout(() => controller.abort(), 50);
  const interrupted = await openLoop({ ...options, signal: controller.signal, call: stuck });
  assert.equal(interrupted.ended, 0);
  const drained = await openLoop({ ...options, seconds: 0.05, call: stuck });
  assert.deepEqual([drained.due, drained.ended], [5, 0]);
});

test("the closed loop has so many calls under way, and counts those that ended", async () => {
  let underWay = 0;
  let most = 0;
  let calls = 0;
  const startMs = performance.now();
  const rate = await closedLoop({
    ...{ clients: 3, seconds: 0.2, signal: never },
    async call() {
      underWay += 1;
      most = Math.max(most, underWay);
      await pause(5);
      underWay -= 1;
      calls += 1;
    },
  });
  const tookS = (performance.now() - startMs) / 1000;
  assert.equal(most, 3);
  // No client can have called faster than its pauses let it, nor have taken longer than all together.
  assert.ok(rate >= calls / tookS && rate < 3 / 0.004, `${rate} a second, ${calls} calls in ${tookS} s`);
  const failing = closedLoop({
    clients: 2,
    seconds: 9,
    signal: never,
    call: () => Promise.reject(new Error("no")),
  });
  await assert.rejects(failing, /^Error: no$/);
});

test("the closed loop counts calls that are longer than its time", async () => {
  const rate = await closedLoop({ clients: 4, seconds: 0.01, signal: never, call: () => pause(50) });
  assert.ok(rate > 0 && rate < 4 / 0.049, `${rate} a second`);
});

test("the rate that was held is that of the later half", () => {
  const answered = Array.from({ length: 100 }, (_, index) => index * 10 + 5);
  assert.deepEqual(heldRate(answered, 100, 1_000), { held: true, perSecond: 100 });
  const fewer = (count: number): number[] => answered.slice(0, 100 - count);
  assert.deepEqual(heldRate(fewer(50), 100, 1_000), { held: false, perSecond: 0 });
  assert.deepEqual([heldRate(fewer(3), 100, 1_000).held, heldRate(fewer(4), 100, 1_000).held], [true, false]);
});

test("a run of one call, answered at its beginning, holds its rate", () => {
  assert.deepEqual(heldRate([4], 0.1, 10_000), { held: true, perSecond: 0.1 });
});

test("phases are those of Server-Timing", () => {
  const head =
    "HTTP/1.1 200 OK\r\nServer-Timing: queue;dur=0.120, run;dur=1.5, odd;dur=9, wait;dur=x\r\nX-Run: 1";
  assert.deepEqual(phasesOf(head), { queue: 0.12, run: 1.5 });
  assert.deepEqual(phasesOf("HTTP/1.1 200 OK"), {});
  assert.equal(headerOf(head, "x-run"), "1");
  assert.equal(headerOf(head, "run"), null);
  assert.deepEqual([statusOf(head), statusOf("SSH-2.0"), statusOf("HTTP/1.1 2x0")], [200, null, null]);
});

const answers: Readonly<Record<string, string>> = {
  "a length": "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  chunks: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
  "chunks and trailers": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\na: b\r\n\r\n",
  "no body": "HTTP/1.1 204 No Content\r\n\r\n",
  "an interim answer": "HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
};

for (const [what, answer] of Object.entries(answers)) {
  for (const pieces of [1, 3, answer.length]) {
    test(`an answer with ${what}, in ${pieces} pieces, is read whole, and the next one after it`, async () => {
      await using server = await serveRaw(async (socket) => {
        const size = Math.ceil(answer.length / pieces);
        for (let at = 0; at < answer.length; at += size) {
          socket.write(answer.slice(at, at + size));
          if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      const caller = new Caller(server.url);
      for (let call = 0; call < 2; call += 1) {
        const { status } = await caller.send(server.request("GET"));
        assert.equal(status, what === "no body" ? 204 : 200);
      }
      caller.close();
      assert.equal(server.connections(), 1);
    });
  }
}

test("an answer without a length ends with its connection, and the next call has another", async () => {
  await using server = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nhello"));
  const caller = new Caller(server.url);
  assert.equal((await caller.send(server.request("GET"))).status, 200);
  assert.equal((await caller.send(server.request("GET"))).status, 200);
  assert.equal(server.connections(), 2);
  caller.close();
});

test("HEAD has no body whatever its length says", async () => {
  await using server = await serveRaw((socket) =>
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
  );
  const caller = new Caller(server.url);
  for (let call = 0; call < 2; call += 1) {
    assert.equal((await caller.send(server.request("HEAD"))).status, 200);
  }
  caller.close();
});

test("an idle connection that the host closed is replaced without a word; one under a call is not", async () => {
  let calls = 0;
  await using server = await serveRaw((socket) => {
    calls += 1;
    if (calls === 2) return socket.destroy();
    return socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  const caller = new Caller(server.url);
  await caller.send(server.request("GET"));
  // The second one finds its kept connection closed by the host, and goes again on a new one.
  assert.equal((await caller.send(server.request("GET"))).status, 200);
  caller.close();
  await using cutting = await serveRaw((socket) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"),
  );
  const other = new Caller(cutting.url);
  await assert.rejects(other.send(cutting.request("GET")), { code: "connection_lost" });
  other.close();
});

test("what is not HTTP is a lost connection, and 429 is a refusal where 500 is none", async () => {
  await using server = await serveRaw((socket) => socket.write("SSH-2.0-OpenSSH\r\n\r\n"));
  const caller = new Caller(server.url);
  await assert.rejects(caller.send(server.request("GET")), { code: "connection_lost", message: /not HTTP/ });
  caller.close();
  const exchange = { head: "HTTP/1.1 429 No", body: "", sentAtMs: 0, endedAtMs: 0 };
  assert.ok(isRefusal({ ...exchange, status: 429 }));
  assert.ok(!isRefusal({ ...exchange, status: 500 }));
  assert.ok(!isRefusal({ ...exchange, status: 503 }));
});

type RawServer = AsyncDisposable & {
  readonly url: URL;
  readonly connections: () => number;
  readonly request: (method: string) => Request;
};

/** Answers each request, told by its empty line, by `answer`. */
async function serveRaw(answer: (socket: Socket) => unknown): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (chunk.includes("\r\n\r\n")) void answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = new URL(`http://127.0.0.1:${address.port}`);
  return {
    url,
    connections: () => sockets.size,
    request: (method) => encodeRequest(url, "it", "/fn/it", { method, headers: {}, body: undefined }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
