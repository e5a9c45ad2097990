// Bodies that are announced and do not come hold no room in memory; bodies that come hold theirs, and
// give it back however the call ends.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { limits } from "../../host/limits.ts";
import { responseMessage } from "../support/messages.ts";
import type { RawAnswer, RawConnection } from "../support/raw-connection.ts";
import { BareServer, until } from "./bare-server.ts";

const post = (framing: string): string => `POST /fn/f HTTP/1.1\r\nHost: h\r\n${framing}\r\n\r\n`;
const chunked = post("Transfer-Encoding: chunked");
const announced = (bytes: number): string => post(`Content-Length: ${bytes}`);
const outcome = (answer: RawAnswer | null): string => {
  const { code = "ok" } = answer?.status === 200 ? {} : JSON.parse(answer?.body.toString() ?? "{}");
  return `${answer?.status} ${code}`;
};

/** Sends each on a connection of its own; resolves when the host reads the bodies. */
async function begin(bare: BareServer, starts: readonly string[]): Promise<RawConnection[]> {
  const connections: RawConnection[] = [];
  for (const start of starts) {
    const begun = bare.request();
    connections.push((await bare.open()).write(start));
    await begun;
  }
  return connections;
}

test("a body that has not come whole within the function's time is deadline_exceeded", async (context) => {
  const bare = await BareServer.start(context, { timeoutMs: 300, answer: () => assert.fail("called") });
  const [slow] = await begin(bare, [announced(1_000)]);
  const drip = setInterval(() => slow?.write("a"), 20);
  const answer = await slow?.answer();
  clearInterval(drip);
  assert.equal(outcome(answer ?? null), "504 deadline_exceeded");
  slow?.close();
});

test("bodies that are begun and do not come leave the room to others", async (context) => {
  const bare = await BareServer.start(context, {
    bodies: new BodyBudget(limits.requestBodyBytesMax),
    answer: ({ body }) => responseMessage({ body: String(body.length) }),
  });
  const max = limits.requestBodyBytesMax;
  const slow = await begin(bare, [
    ...Array.from({ length: 20 }, () => `${chunked}1\r\na\r\n`),
    ...Array.from({ length: 20 }, () => `${announced(max)}a`),
  ]);
  const [good] = await begin(bare, [announced(1_000_000)]);
  assert.equal((await good?.write(Buffer.alloc(1_000_000)).answer())?.body.toString(), "1000000");
  for (const connection of slow) connection.close();
});

test("a body for which there is no room left is overloaded in the middle of it, with Retry-After", async (context) => {
  const running = Promise.withResolvers<Buffer>();
  const bare = await BareServer.start(context, {
    bodies: new BodyBudget(100),
    answer: ({ body }) => (body.length === 80 ? running.promise : responseMessage()),
  });
  const [held, other] = await begin(bare, [announced(80) + "a".repeat(80), announced(40) + "b".repeat(10)]);
  other?.write("b".repeat(30));
  const refused = await other?.answer();
  assert.equal(outcome(refused ?? null), "503 overloaded");
  assert.match(refused?.header("retry-after") ?? "", /^[1-9]\d*$/);
  running.resolve(responseMessage());
  assert.equal(outcome((await held?.answer()) ?? null), "200 ok");
  const [next] = await begin(bare, [announced(100) + "c".repeat(100)]);
  assert.equal(outcome((await next?.answer()) ?? null), "200 ok");
  for (const connection of [held, other, next]) connection?.close();
});

test("a client that goes away in its body gives its room back", async (context) => {
  const bare = await BareServer.start(context, {
    bodies: new BodyBudget(100),
    answer: () => responseMessage(),
  });
  const [gone] = await begin(bare, [announced(100) + "a".repeat(90)]);
  const socket = await bare.socket();
  gone?.close();
  await until(() => socket.closed);
  const [next] = await begin(bare, [announced(100) + "b".repeat(100)]);
  assert.equal(outcome((await next?.answer()) ?? null), "200 ok");
  assert.deepEqual(bare.outcomes, ["ok"]);
  next?.close();
});
