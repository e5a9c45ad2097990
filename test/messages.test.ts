// The request message of docs/abi.md, against a plain encoder of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeRequest, type RequestHead } from "../host/messages.ts";

function plainly(
  { method, url, path, query, remoteAddress, headers }: RequestHead,
  body: Uint8Array,
): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([number(bytes.length), bytes]);
  };
  const named = headers.map((value, index) => text(index % 2 === 0 ? value.toLowerCase() : value));
  const texts = [method, url, path, query, remoteAddress].map(text);
  const head = Buffer.concat([...texts, number(headers.length / 2), ...named]);
  return Buffer.concat([number(head.length), head, body]);
}

const long = "0123456789".repeat(9);

test("a request is written as docs/abi.md says, whatever its texts hold", () => {
  const texts = [
    "",
    "a",
    long,
    "\x7f",
    "\x80",
    "é",
    `${long}é`,
    `é${long}`,
    "€",
    "\u{1f600}",
    "\ud800",
    "a\0b",
  ];
  const body = Buffer.from([0, 255, 128]);
  for (const text of texts) {
    for (const place of [0, 1, 2, 3, 4, 5, 6]) {
      const at = (own: number): string => (own === place ? text : "x");
      const head: RequestHead = {
        method: at(0),
        url: at(1),
        path: at(2),
        query: at(3),
        remoteAddress: at(4),
        headers: ["Host", "here", `X-${at(5)}`, at(6)],
      };
      for (const sent of [body, Buffer.alloc(0)]) {
        assert.deepEqual(Buffer.from(encodeRequest(head, sent)), plainly(head, sent), `${place}: ${text}`);
      }
    }
  }
});

test("a long request is written to shared memory, in either way", () => {
  for (const path of ["/", "/é"]) {
    const head = { method: "POST", url: path, path, query: "", remoteAddress: "", headers: [] };
    const body = Buffer.alloc(70_000, 7);
    const message = encodeRequest(head, body);
    assert.ok(message.buffer instanceof SharedArrayBuffer);
    assert.deepEqual(Buffer.from(message), plainly(head, body));
  }
});
