import { strict as assert } from "node:assert";
import { test } from "node:test";
import { nextHop } from "../../host/outbound/redirect.ts";

const body = Uint8Array.of(1, 2);
const headers = [
  ["Authorization", "secret"],
  ["cookie", "a=1"],
  ["content-type", "text/plain"],
  ["x-a", "1"],
] as const;
const request = (method: string) => ({ url: new URL("http://a.example/dir/x?q"), method, headers, body });
const to = (status: number, location: string) => ({ status, headers: ["X", "1", "Location", location] });

const rows: [status: number, method: string, next: string, keepsBody: boolean][] = [
  [301, "GET", "GET", true],
  [301, "POST", "GET", false],
  [302, "POST", "GET", false],
  [302, "PUT", "PUT", true],
  [303, "PUT", "GET", false],
  [303, "HEAD", "HEAD", true],
  [307, "POST", "POST", true],
  [308, "DELETE", "DELETE", true],
];
for (const [status, method, next, keepsBody] of rows) {
  test(`${status} after ${method} leads to ${next} ${keepsBody ? "with" : "without"} the body`, () => {
    const hop = nextHop(request(method), to(status, "/y"));
    assert.deepEqual([hop?.method, hop?.url], [next, "http://a.example/y"]);
    assert.equal(hop?.body.byteLength, keepsBody ? 2 : 0);
    assert.equal(
      hop?.headers.some(([name]) => name === "content-type"),
      keepsBody,
    );
  });
}

test("credentials go to the first origin alone: another port or scheme is another origin", () => {
  const names = (location: string) =>
    nextHop(request("GET"), to(302, location))?.headers.map(([name]) => name);
  assert.deepEqual(names("y"), ["Authorization", "cookie", "content-type", "x-a"]);
  for (const other of ["http://b.example/", "http://a.example:81/", "https://a.example/", "//b.example"]) {
    assert.deepEqual(names(other), ["content-type", "x-a"], other);
  }
});

test("what is no redirect leads nowhere", () => {
  for (const status of [200, 300, 304, 305, 306, 399])
    assert.equal(nextHop(request("GET"), to(status, "/y")), null);
  assert.equal(nextHop(request("GET"), { status: 302, headers: [] }), null);
  assert.equal(nextHop(request("GET"), to(302, "http://[")), null);
});
