// docs/threat-model.md B9, the other way round: clients that ask and read slowly, or not at all.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { limits } from "../../host/limits.ts";
import { responseMessage } from "../support/messages.ts";
import { BareServer, until } from "./bare-server.ts";

const get = (path: string): string => `GET /fn/f${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const large = responseMessage({ body: new Uint8Array(limits.responseBodyBytesMax) });
/** More than the buffers of a loopback connection swallow. */
const many = 5;

test("a client that asks for large answers and reads none is cut off", async (context) => {
  const bare = await BareServer.start(context, { writeStallTimeoutMs: 200, answer: () => large });
  const connection = await bare.open();
  connection.socket.pause();
  connection.write(get("").repeat(many));
  const socket = await bare.socket();
  await until(() => socket.destroyed);
  connection.close();
});

test("an answer that is not taken within the function's time is cut off, and its log says so", async (context) => {
  const bare = await BareServer.start(context, { timeoutMs: 300, answer: () => large });
  const connection = await bare.open();
  connection.socket.pause();
  connection.write(get("").repeat(many));
  const socket = await bare.socket();
  await until(() => socket.destroyed);
  assert.ok(bare.guestFaults.length > 0);
  for (const fault of bare.guestFaults) assert.match(fault, /^cut off: .* within 300 ms$/);
  connection.close();
});

test("a client is cut off also when its large answers were queued behind another", async (context) => {
  const first = Promise.withResolvers<Buffer>();
  let answered = 0;
  const bare = await BareServer.start(context, {
    writeStallTimeoutMs: 200,
    answer: ({ path }) => {
      if (path === "/first") return first.promise;
      answered += 1;
      return large;
    },
  });
  const connection = await bare.open();
  connection.socket.pause();
  connection.write(get("/first") + get("").repeat(many));
  await until(() => answered === many && bare.outcomes.length === many);
  const socket = await bare.socket();
  assert.equal(socket.writableLength, 0, "the large answers wait for the first");
  first.resolve(responseMessage({ body: "small" }));
  await until(() => socket.destroyed);
  connection.close();
});

test("a client that reads slowly is waited for, longer than it may stand still", async (context) => {
  const bare = await BareServer.start(context, { writeStallTimeoutMs: 1_000, answer: () => large });
  const connection = await bare.open();
  connection.write(get("").repeat(many));
  const socket = await bare.socket();
  for (let count = 0; count < many; count += 1) {
    connection.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    connection.socket.resume();
    assert.equal((await connection.answer())?.body.length, limits.responseBodyBytesMax);
    assert.ok(!socket.destroyed);
  }
  connection.close();
});

test("a function may take its time behind an answer that was read slowly", async (context) => {
  const late = Promise.withResolvers<Buffer>();
  const bare = await BareServer.start(context, {
    writeStallTimeoutMs: 500,
    answer: ({ path }) => (path === "/late" ? late.promise : large),
  });
  const connection = await bare.open();
  connection.write(get("") + get("/late"));
  assert.equal((await connection.answer())?.body.length, limits.responseBodyBytesMax);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  late.resolve(responseMessage({ body: "late" }));
  assert.equal((await connection.answer())?.body.toString(), "late");
  connection.close();
});

test("an idle connection is closed also after an answer that was read slowly", async (context) => {
  const bare = await BareServer.start(context, { keepAliveTimeoutMs: 50, answer: () => large });
  const connection = await bare.open();
  for (let count = 0; count < 2; count += 1) {
    assert.equal((await connection.write(get("")).answer())?.body.length, limits.responseBodyBytesMax);
  }
  assert.equal((await connection.rest()).length, 0);
  connection.close();
});

test("answers that nobody reads yet share the room for bodies, and give it back", async (context) => {
  const size = limits.responseBodyBytesMax;
  const bare = await BareServer.start(context, { bodies: new BodyBudget(2 * size), answer: () => large });
  const connection = await bare.open();
  connection.socket.pause();
  connection.write(get("").repeat(4));
  await until(() => bare.outcomes.length === 4);
  assert.deepEqual(bare.outcomes.toSorted(), ["ok", "ok", "overloaded", "overloaded"]);
  connection.socket.resume();
  const statuses: (number | undefined)[] = [];
  for (let count = 0; count < 4; count += 1) statuses.push((await connection.answer())?.status);
  assert.deepEqual(statuses.toSorted(), [200, 200, 503, 503]);
  assert.equal((await connection.write(get("")).answer())?.status, 200);
  connection.close();
});

test("answers still queued when their connection goes give their room back", async (context) => {
  const size = limits.responseBodyBytesMax;
  const first = Promise.withResolvers<Buffer>();
  const bare = await BareServer.start(context, {
    bodies: new BodyBudget(2 * size),
    answer: ({ path }) => (path === "/first" ? first.promise : large),
  });
  const gone = await bare.open();
  gone.write(get("/first") + get("").repeat(2));
  await until(() => bare.outcomes.length === 2);
  const socket = await bare.socket();
  gone.close();
  await until(() => socket.destroyed);
  const next = await bare.open();
  for (let count = 0; count < 2; count += 1) {
    assert.equal((await next.write(get("")).answer())?.status, 200);
  }
  first.resolve(large);
  next.close();
});
