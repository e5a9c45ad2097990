// Reading a request body within bounds, for both planes: the size, the stand-still, the client that goes.

import { strict as assert } from "node:assert";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { HostError } from "../../host/errors.ts";
import type { BodyBounds } from "../../host/http/body-bytes.ts";
import { ClientGone, readBody } from "../../host/http/request-body.ts";
import { readStream } from "../../host/http/stream-body.ts";
import { RawConnection } from "../support/raw-connection.ts";

const bounds: BodyBounds = {
  what: "request body",
  bytesMax: 10,
  idleTimeoutMs: 150,
  tooLarge: "body_too_large",
};
let server: Server;
type Reading = { readonly result: Promise<Uint8Array> };
let seen: ((reading: Reading) => void) | null = null;
before(async () => {
  server = createServer((request: IncomingMessage, response) => {
    const result = (async () => readBody(request, bounds))();
    seen?.({ result });
    result.then(
      () => response.end(),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** What readBody makes of a request; `then` may act on the connection meanwhile. */
async function read(
  bytes: string,
  then: (connection: RawConnection) => void = () => {},
): Promise<Uint8Array> {
  const started = new Promise<Reading>((resolve) => {
    seen = resolve;
  });
  const connection = await RawConnection.open((server.address() as AddressInfo).port);
  connection.write(`POST / HTTP/1.1\r\nHost: h\r\n${bytes}`);
  try {
    const { result } = await started;
    then(connection);
    return await result;
  } finally {
    connection.close();
  }
}

const isCode = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("a body up to the bound is read, one byte beyond it is refused", async () => {
  for (const length of [0, 9, 10]) {
    assert.equal((await read(`Content-Length: ${length}\r\n\r\n${"x".repeat(length)}`)).length, length);
  }
  await assert.rejects(read(`Content-Length: 11\r\n\r\n${"x".repeat(11)}`), isCode("body_too_large"));
  const chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\n5\r\nbbbbb\r\n";
  assert.equal((await read(`${chunks}0\r\n\r\n`)).length, 10);
  await assert.rejects(read(`${chunks}1\r\nc\r\n0\r\n\r\n`), isCode("body_too_large"));
});

test("a body that stands still is request_timeout, one that comes slowly is read", async () => {
  await assert.rejects(read("Content-Length: 5\r\n\r\nab"), isCode("request_timeout"));
  const slow = read("Content-Length: 5\r\n\r\n", (connection) => {
    let sent = 0;
    const timer = setInterval(() => {
      connection.write("x");
      sent += 1;
      if (sent === 5) clearInterval(timer);
    }, 15);
  });
  assert.equal((await slow).length, 5);
});

test("a client that goes away inside its body is ClientGone", async () => {
  await assert.rejects(
    read("Content-Length: 5\r\n\r\nab", (connection) => connection.close()),
    ClientGone,
  );
});

const stream = (...parts: string[]): Request =>
  new Request("http://h/", {
    method: "PUT",
    duplex: "half",
    body: new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
        if (!parts.includes("")) controller.close();
      },
    }),
  } as RequestInit);

test("readStream holds to the same bounds", async () => {
  assert.equal(Buffer.from(await readStream(stream("abcde", "fghij"), bounds)).toString(), "abcdefghij");
  await assert.rejects(readStream(stream("abcde", "fghij", "k"), bounds), isCode("body_too_large"));
  // An empty part keeps this one open: nothing comes any more.
  await assert.rejects(readStream(stream("ab", ""), bounds), isCode("request_timeout"));
});

test("readStream makes a broken stream ClientGone", async () => {
  const broken = new Request("http://h/", {
    method: "PUT",
    duplex: "half",
    body: new ReadableStream({ pull: (controller) => controller.error(new Error("aborted")) }),
  } as RequestInit);
  await assert.rejects(readStream(broken, bounds), ClientGone);
});
