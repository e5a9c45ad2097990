// What a function's response becomes on its way to the host.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { callGuest, GuestAbort } from "./guest-harness.ts";
import { testModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await testModule("response");
});

test("text() is UTF-8, says so, and replaces a lone surrogate", () => {
  const { status, headers, text } = callGuest(module, { path: "/text" });
  assert.equal(status, 201);
  assert.deepEqual(headers, [["content-type", "text/plain; charset=utf-8"]]);
  assert.equal(text, "Grüße 😀 \ufffd");
});

test("json() is application/json", () => {
  const { status, headers, text } = callGuest(module, { path: "/json" });
  assert.deepEqual([status, headers, text], [202, [["content-type", "application/json"]], '{"a":1}']);
});

test("bytes() come through as they are", () => {
  const body = Uint8Array.from({ length: 1000 }, (_, index) => index & 255);
  const answer = callGuest(module, { path: "/bytes", body });
  assert.equal(answer.contentType, "image/png");
  assert.deepEqual(new Uint8Array(answer.body), body);
});

test("a response without a body has no content type", () => {
  const { status, headers, body } = callGuest(module, { path: "/empty" });
  assert.deepEqual([status, headers, body.length], [204, [], 0]);
});

test("header() replaces, but for set-cookie", () => {
  assert.deepEqual(callGuest(module, { path: "/cookies" }).headers, [
    ["content-type", "text/plain; charset=utf-8"],
    ["set-cookie", "a=1"],
    ["Set-Cookie", "b=2"],
    ["X-A", "2"],
  ]);
});

test("headers can be appended, looked up and removed, and the body read", () => {
  assert.equal(callGuest(module, { path: "/" }).text, "a, b false 120");
});

describe("a header value that cannot be sent is an error where it is set:", () => {
  for (const value of ["a\nb", "a\rb", "a\0b", "€", "😀"]) {
    test(JSON.stringify(value), () => {
      assert.throws(() => callGuest(module, { path: "/header", body: value }), GuestAbort);
    });
  }

  test("but bytes beyond ASCII are sent", () => {
    const { headers } = callGuest(module, { path: "/header", body: "caf\u00e9" });
    assert.deepEqual(headers.at(-1), ["x-value", "caf\u00e9"]);
  });
});

describe("redirect() escapes what no URL may hold:", () => {
  const rows = [
    ["/next?a=1&b=%20#x", "/next?a=1&b=%20#x"],
    ["https://example.com/ü", "https://example.com/%C3%BC"],
    ["/a b", "/a%20b"],
    ["/\r\nset-cookie: a=1", "/%0D%0Aset-cookie:%20a=1"],
  ] as const;
  for (const [url, location] of rows) {
    test(JSON.stringify(url), () => {
      const { status, headers } = callGuest(module, { path: "/redirect", body: url });
      assert.deepEqual([status, headers], [302, [["location", location]]]);
    });
  }

  test("and takes no status that does not redirect", () => {
    assert.throws(() => callGuest(module, { path: "/redirect-200" }), /Cannot redirect with 200/);
  });
});
