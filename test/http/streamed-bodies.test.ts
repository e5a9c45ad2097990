// Streams at the side of the client: bounds of what comes and of what goes out, in bytes and in time.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { BodyBudget } from "../../host/http/body-budget.ts";
import { StreamedAnswer } from "../../host/http/streamed-answer.ts";
import { StreamedBody } from "../../host/http/streamed-body.ts";
import type { BodyPost } from "../../host/invoke/call-streams.ts";
import type { InvokeRequest } from "../../host/invoke/invoker.ts";
import { responseMessage } from "../support/messages.ts";
import { BareServer, until } from "./bare-server.ts";

const head = responseMessage({ status: 200 });
const block = Buffer.alloc(64 * 1024);

/** Writes until nothing more is taken; how much was taken, and whether the client went. */
function writing({ onAnswer, watchGone }: InvokeRequest) {
  const sink = onAnswer?.({ head, timings: {} });
  assert.ok(sink);
  const state = { taken: 0, gone: false };
  watchGone(() => {
    state.gone = true;
  });
  const more = (): void => {
    state.taken += block.byteLength;
    if (!state.gone) sink.write(block, more);
  };
  sink.write(block, more);
  return state;
}

test("a client that takes nothing of a streamed answer for the time of a stall is gone", async (context) => {
  let state = { taken: 0, gone: false };
  const bare = await BareServer.start(context, {
    writeStallTimeoutMs: 200,
    answer: (_seen, request) => {
      state = writing(request);
      return new Promise(() => {});
    },
  });
  const connection = await bare.open();
  connection.socket.pause();
  connection.write("GET /fn/f HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => state.gone);
  assert.ok(state.taken > 0);
  connection.close();
});

test("an answer at rest is no stall", async (context) => {
  const bare = await BareServer.start(context, {
    writeStallTimeoutMs: 100,
    answer: async (_seen, { onAnswer }) => {
      const sink = onAnswer?.({ head, timings: {} });
      await new Promise<void>((resolve) => sink?.write(Buffer.from("one"), resolve));
      await new Promise((resolve) => setTimeout(resolve, 400));
      await new Promise<void>((resolve) => sink?.write(Buffer.from("two"), resolve));
      return null;
    },
  });
  const connection = await bare.open();
  connection.write("GET /fn/f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  assert.match((await connection.rest()).toString(), /3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
  assert.deepEqual(bare.outcomes, ["ok"]);
});

test("an answer is cut off at its limit, and not before", async (context) => {
  const bodies = new BodyBudget();
  const ended = Promise.withResolvers<unknown>();
  const bare = await BareServer.start(context, { answer: () => new Promise(() => {}) });
  bare.server.removeAllListeners("request");
  bare.server.on("request", (request, response) => {
    const guest = { status: 200, headers: [], body: new Uint8Array(0), contentLength: 0 };
    const share = bodies.share();
    const answer = new StreamedAnswer({ request, response, guest, headers: [], share, bytesMax: 10 });
    answer.write(Buffer.alloc(10), () => {
      try {
        answer.write(Buffer.alloc(1), () => ended.resolve(null));
      } catch (error) {
        answer.cut();
        ended.resolve(error);
      }
    });
  });
  const connection = await bare.open();
  connection.write("GET /fn/f HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal(((await ended.promise) as { code: string }).code, "bad_guest_output");
  assert.match((await connection.rest()).toString("latin1"), /\r\n\r\na\r\n\0{10}\r\n$/);
});

/** How far the guest is behind. */
const room = { isFull: false, hasRoom: true };

/** A server that streams one request into what `into` says; the code with which that failed. */
async function pulled(
  context: Parameters<typeof BareServer.start>[0],
  text: string,
  { bytesMax = 10, idleTimeoutMs = 100, bodies = new BodyBudget(), state = { ...room } } = {},
) {
  const failed = Promise.withResolvers<string>();
  const written: number[] = [];
  let onRead = (_bytes: number): void => {};
  const bare = await BareServer.start(context, { answer: () => new Promise(() => {}) });
  bare.server.removeAllListeners("request");
  bare.server.on("request", (request) => {
    const body = new StreamedBody(request, bodies.share(), { bytesMax, idleTimeoutMs });
    const into = Object.assign(state, {
      write: ({ byteLength }: Uint8Array) => void written.push(byteLength),
      end: () => failed.resolve("ended"),
      onRead: (act: (bytes: number) => void) => {
        onRead = act;
      },
    });
    body.pull(into as never as BodyPost, (error) =>
      failed.resolve("code" in error ? error.code : error.name),
    );
  });
  const connection = await bare.open();
  connection.write(`POST /fn/f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${text}`);
  context.after(() => connection.close());
  return { failed: failed.promise, written, read: (bytes: number) => onRead(bytes), connection };
}

test("a streamed body may have so many bytes, and is too large with one more", async (context) => {
  assert.equal(await (await pulled(context, "a\r\n0123456789\r\n0\r\n\r\n")).failed, "ended");
  assert.equal(await (await pulled(context, "a\r\n0123456789\r\n1\r\nx\r\n")).failed, "body_too_large");
});

test("a streamed body that stands still is request_timeout", async (context) => {
  assert.equal(await (await pulled(context, "1\r\nx\r\n")).failed, "request_timeout");
});

test("a client is not to blame for a guest that does not read, and sends on when it has read", async (context) => {
  const state = { isFull: true, hasRoom: false };
  const { failed, written, read, connection } = await pulled(context, "1\r\nx\r\n", { state });
  let end = "";
  void failed.then((how) => {
    end = how;
  });
  await until(() => written.length === 1);
  connection.write("0\r\n\r\n");
  read(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(end, "", "it has no room yet");
  state.hasRoom = true;
  read(0);
  await until(() => end === "ended");
});

test("bytes of a streamed body for which there is no room are overloaded", async (context) => {
  const bodies = new BodyBudget(1);
  const { failed } = await pulled(context, "2\r\nxy\r\n", { bodies });
  assert.equal(await failed, "overloaded");
});
