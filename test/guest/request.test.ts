// What a function sees of a request, through the SDK.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { callGuest, GuestAbort, type GuestRequest } from "./guest-harness.ts";
import { testModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await testModule("request");
});

function see(name: string, request: GuestRequest): Record<string, unknown> {
  const headers = [...(request.headers ?? []), ["x-ask", name] as const];
  return JSON.parse(callGuest(module, { ...request, headers }).text);
}

test("a request has its method, path, URL and peer", () => {
  const seen = see("", { method: "PUT", path: "/a%20b/ü", query: "x=1" });
  assert.equal(seen.method, "PUT");
  assert.equal(seen.path, "/a%20b/ü");
  assert.equal(seen.url, "http://localhost/fn/test/a%20b/ü?x=1");
  assert.equal(seen.remoteAddress, "192.0.2.7");
});

test("param() decodes what a route found, and nothing else", () => {
  const param = (name: string, sent: string | null): unknown =>
    see(name, { query: "id=query", headers: sent === null ? [] : [["x-mayfly-route-params", sent]] })[
      "param"
    ];
  assert.equal(param("id", "id=42"), "42");
  assert.equal(param("b", "a=x%2Fy&b=%C3%A9%20%2B"), "é +");
  assert.equal(param("a", "a=x%2Fy&b=1"), "x/y");
  assert.equal(param("c", "a=1"), null);
  assert.equal(param("id", null), null);
});

describe("query() decodes", () => {
  const rows: readonly (readonly [query: string, name: string, value: string | null])[] = [
    ["", "a", null],
    ["a=1", "a", "1"],
    ["a=1", "A", null],
    ["a", "a", ""],
    ["a=", "a", ""],
    ["=x", "", "x"],
    ["&&a=1&", "a", "1"],
    ["a=1&a=2", "a", "1"],
    ["a=b=c", "a", "b=c"],
    ["a=b+c", "a", "b c"],
    ["a=b%2Bc", "a", "b+c"],
    ["a+b=1", "a b", "1"],
    ["%61=1", "a", "1"],
    ["n=%C3%A9", "n", "é"],
    ["n=\u00e9", "n", "é"],
    ["n=%F0%9F%98%80", "n", "😀"],
    ["n=%", "n", "%"],
    ["n=%4", "n", "%4"],
    ["n=%zz", "n", "%zz"],
    ["n=%4g%41", "n", "%4gA"],
    ["n=%25", "n", "%"],
    ["n=%00", "n", "\0"],
    ["n=%FF", "n", "\ufffd"],
    ["n=%C3x", "n", "\ufffdx"],
    ["n=%ED%A0%80", "n", "\ufffd\ufffd\ufffd"],
    ["n=%C0%80", "n", "\ufffd\ufffd"],
    ["n=%F0%9F%98", "n", "\ufffd"],
    ["n=%F4%90%80%80", "n", "\ufffd\ufffd\ufffd\ufffd"],
    ["%C3%A9=1", "é", "1"],
    ["a%3Db=1", "a=b", "1"],
    ["a%26b=1&c=2", "c", "2"],
  ];
  for (const [query, name, value] of rows) {
    test(`"${query}" has ${JSON.stringify(value)} under "${name}"`, () => {
      assert.equal(see(name, { query }).query, value);
    });
  }

  test("as URLSearchParams does", () => {
    for (const [query, name, value] of rows) assert.equal(new URLSearchParams(query).get(name), value, query);
  });
});

test("queries() gives every value in order", () => {
  assert.deepEqual(see("tag", { query: "tag=a&x=1&tag=b+c&tag" }).queries, ["a", "b c", ""]);
  assert.deepEqual(see("none", { query: "tag=a" }).queries, []);
});

test("header() ignores case, joins several values and is null when absent", () => {
  const headers = [
    ["accept", "a"],
    ["x-one", "1"],
    ["accept", "b"],
  ] as const;
  assert.equal(see("Accept", { headers }).header, "a, b");
  assert.equal(see("X-ONE", { headers }).header, "1");
  assert.equal(see("x-on", { headers }).header, null);
});

test("a header value is a byte string, one code point for each byte", () => {
  assert.equal(see("x-name", { headers: [["x-name", "Ren\u00e9 \u00ff"]] }).header, "Ren\u00e9 \u00ff");
});

test("headers lists every field in the order received", () => {
  const headers = [
    ["b", "2"],
    ["a", "1"],
    ["b", "3"],
  ] as const;
  assert.deepEqual(see("q", { headers }).headers, [...headers, ["x-ask", "q"]]);
});

test("isType() compares the media type without its parameters and case", () => {
  const isJson = (type: string): unknown => see("", { headers: [["content-type", type]] }).isJson;
  assert.equal(isJson("application/json"), true);
  assert.equal(isJson("Application/JSON ; charset=utf-8"), true);
  assert.equal(isJson("application/jsonp"), false);
  assert.equal(see("", {}).isJson, false);
});

describe("cookie() finds", () => {
  const rows: readonly (readonly [header: string, name: string, value: string | null])[] = [
    ["a=1; b=2", "b", "2"],
    ["a=1;b=2", "b", "2"],
    ["a=1; b=2", "c", null],
    ["a=1; a=2", "a", "1"],
    ["ab=1", "a", null],
    ['a="quoted"', "a", "quoted"],
    ['a="', "a", '"'],
    ["a=x=y", "a", "x=y"],
    ["a; b=2", "a", null],
    ["a=", "a", ""],
    ["a=%20", "a", "%20"],
  ];
  for (const [header, name, value] of rows) {
    test(`${JSON.stringify(value)} under "${name}" in ${header}`, () => {
      assert.equal(see(name, { headers: [["cookie", header]] }).cookie, value);
    });
  }

  test("cookies of several headers", () => {
    assert.equal(
      see("b", {
        headers: [
          ["cookie", "a=1"],
          ["cookie", "b=2"],
        ],
      }).cookie,
      "2",
    );
  });
});

test("a body of any bytes comes through as it is", () => {
  const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7 + (index >> 8)) & 255);
  assert.deepEqual(new Uint8Array(callGuest(module, { method: "POST", path: "/body", body }).body), body);
  assert.equal(callGuest(module, { path: "/body" }).body.length, 0);
});

describe("text() reads UTF-8 as TextDecoder does", () => {
  const bodies = ["", "plain", "Grüße 😀", "\ufeffmark", "\ufeff\ufeff", "a\0b"].map((text) =>
    Buffer.from(text),
  );
  const broken = [
    "ff",
    "c3",
    "c328",
    "e282",
    "e28228",
    "f09f98",
    "f0808080",
    "eda080",
    "f5808080",
    "61ff62",
    "efbb",
  ];
  for (const body of [...bodies, ...broken.map((hex) => Buffer.from(hex, "hex"))]) {
    test(`<${body.toString("hex")}>`, () => {
      const { text } = callGuest(module, { method: "POST", path: "/text", body });
      assert.equal(text, new TextDecoder().decode(body));
    });
  }
});

test("env, log, console, now and random reach the host", () => {
  const host = { env: { NAME: "vålue" }, nowMs: 1_790_000_000_123 };
  const { text, log } = callGuest(module, { path: "/services" }, host);
  assert.deepEqual(JSON.parse(text), {
    env: "vålue",
    missing: null,
    now: 1_790_000_000_123,
    date: 1_790_000_000_123,
    random: "165,165,165,165",
  });
  assert.deepEqual(log, ["debug one", "info zwö", "warn three 😀", "error ", "log from console"]);
});

test("a function that throws aborts with its message and the place in the user's file", () => {
  assert.throws(
    () => callGuest(module, { path: "/throw" }),
    (error) =>
      error instanceof GuestAbort &&
      error.message === "thrown on purpose" &&
      /^request\.as\.ts:10:\d+$/.test(error.place),
  );
});
