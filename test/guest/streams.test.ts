// Streams through the SDK.

import { strict as assert } from "node:assert";
import { before, test } from "node:test";
import { callGuest, GuestAbort } from "./guest-harness.ts";
import { exampleModule, testModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await testModule("streams");
});

test("Response.stream() sends its head with the first bytes, and text as UTF-8", () => {
  const answer = callGuest(module, { path: "/" });
  assert.equal(answer.status, 201);
  assert.equal(answer.text, "Grüße 😀");
  assert.deepEqual(answer.headers, [
    ["content-type", "text/x-test"],
    ["x-a", "2"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ]);
});

test("a stream that ends without a byte has its head all the same", () => {
  const answer = callGuest(module, { path: "/nothing" });
  assert.deepEqual([answer.status, answer.contentType, answer.text], [201, "text/x-test", ""]);
});

for (const [path, words] of [
  ["/late-header", /^Cannot set a header: the response has begun/],
  ["/after", /^Cannot write: the response has ended/],
  ["/twice", /^Cannot write: the response has ended/],
] as const) {
  test(`${path.slice(1)} on a stream throws`, () => {
    assert.throws(
      () => callGuest(module, { path }),
      (error: Error) => error instanceof GuestAbort && words.test(error.message),
    );
  });
}

test("Response.events() writes events as EventSource reads them", () => {
  const answer = callGuest(module, { path: "/events", query: "id=7" });
  assert.equal(answer.contentType, "text/event-stream");
  assert.ok(answer.headers.some(([name, value]) => name === "cache-control" && value === "no-cache"));
  assert.equal(
    answer.text,
    "event: tick\nid: 7\nretry: 500\ndata: one\n\n" +
      "data: a\ndata: b\ndata: c\ndata: d\n\n" +
      "data: \n\n" +
      ": quiet\n: still\n\n",
  );
});

test("an id of two lines is none: it would be another event's", () => {
  assert.throws(
    () => callGuest(module, { path: "/events", query: "id=7%0Adata:" }),
    /id has more than one line/,
  );
});

test("a body is read piece by piece, and body and text() have what is left", () => {
  assert.equal(callGuest(module, { path: "/read", body: "abcdef" }).text, "3|def|true");
  assert.equal(callGuest(module, { path: "/read", body: "" }).text, "-1||true");
  assert.equal(callGuest(module, { path: "/into", body: "123456789" }).text, "4 4 1 0");
});

test("text() and body have all of it where nothing has been read", () => {
  assert.equal(callGuest(module, { path: "/body", body: "\ufeffabc" }).text, "abc|6");
  assert.equal(callGuest(module, { path: "/body", body: "" }).text, "|0");
});

test("a function that does not stream asks for nothing that does", async () => {
  const names = WebAssembly.Module.imports(await exampleModule("hello")).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["abort", "request_read", "response_write"]);
});

test("the example ticker goes on after the event that a client had last", async () => {
  const ticker = await exampleModule("ticker");
  const answer = callGuest(ticker, { query: "count=5", headers: [["last-event-id", "3"]] });
  assert.deepEqual(answer.text.match(/^id: \d+$/gm), ["id: 4", "id: 5"]);
});
