// Header rules on their own: what is passed on, what is dropped, what no header may be.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { headerFault, requestHeaders, responseHeaders } from "../../host/http/headers.ts";

test("requestHeaders keeps order and repeats, in lower case", () => {
  assert.deepEqual(requestHeaders(["X-A", "1", "x-b", "2", "X-a", "3"]), [
    "x-a",
    "1",
    "x-b",
    "2",
    "x-a",
    "3",
  ]);
});

test("requestHeaders drops what only the host says to a function", () => {
  const said = ["Function", "Event-Attempt", "Invocation-Id", "Attempt"].flatMap((name) => [
    `X-Mayfly-${name}`,
    "1",
  ]);
  assert.deepEqual(requestHeaders([...said, "X-Mayfly-Depth", "2", "a", "b"]), [
    "x-mayfly-depth",
    "2",
    "a",
    "b",
  ]);
});

test("requestHeaders drops what concerns one hop and what Connection lists, wherever it stands", () => {
  const raw = [
    "X-Hop",
    "1",
    "Connection",
    "keep-alive , X-HOP",
    "TE",
    "trailers",
    "Keep-Alive",
    "x",
    "A",
    "b",
  ];
  assert.deepEqual(requestHeaders(raw), ["a", "b"]);
  assert.deepEqual(requestHeaders(["Connection", "close", "close", "kept"]), ["close", "kept"]);
});

test("responseHeaders drops hop-by-hop, framing and the host's own fields, and keeps spelling", () => {
  const headers = [
    ["Content-Length", "1"],
    ["DATE", "x"],
    ["Server-Timing", "x"],
    ["X-Mayfly-Version", "x"],
    ["connection", "x-drop"],
    ["X-Drop", "1"],
    ["X-Keep", "1"],
    ["Set-Cookie", "a"],
    ["Set-Cookie", "b"],
  ] as const;
  assert.deepEqual(responseHeaders(headers), ["X-Keep", "1", "Set-Cookie", "a", "Set-Cookie", "b"]);
});

test("headerFault names a bad name or value and tells nothing of it", () => {
  assert.equal(headerFault("x-a", "\tb \xff"), null);
  assert.match(headerFault("x a", "b") ?? "", /name/);
  assert.match(headerFault("x-a", "secret\n") ?? "", /value of x-a/);
  assert.doesNotMatch(headerFault("x-a", "secret\n") ?? "", /secret/);
});
