// Which route takes a request: the most specific first, whatever order they came in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RouteTable } from "../../host/http/route-table.ts";
import { parsePattern, type Route, shapeOf } from "../../host/route.ts";
import { seeded } from "../support/seeded-random.ts";

const routeOf = (pattern: string): Route => ({
  id: pattern,
  pattern: parsePattern(pattern),
  settings: { pattern, cache: false },
  changedAtMs: 0,
});

const patterns = [
  "api.example.com/users/:id",
  "api.example.com/users/me",
  "api.example.com/users/:id/posts/*",
  "api.example.com/users/:id/posts/new",
  "api.example.com/*",
  "*.example.com/:only",
  "*.b.example.com/:only",
  "/static/*",
  "/static/app.js",
  "/:a/:b",
  "/:a/fixed",
  "/",
  "/trailing/",
  "/x%20y",
];

const cases: readonly (readonly [string, string, string | null, (readonly string[])?])[] = [
  ["api.example.com", "/users/7", "api.example.com/users/:id", ["7"]],
  ["api.example.com", "/users/me", "api.example.com/users/me"],
  ["api.example.com", "/users/me/posts/", "api.example.com/users/:id/posts/*", ["me"]],
  ["api.example.com", "/users/7/posts/new", "api.example.com/users/:id/posts/new", ["7"]],
  ["api.example.com", "/users/7/posts", "api.example.com/*"],
  ["api.example.com", "/users/", "api.example.com/*"],
  ["api.example.com", "/static/app.js", "api.example.com/*"],
  ["a.example.com", "/x", "*.example.com/:only", ["x"]],
  ["a.b.example.com", "/x", "*.b.example.com/:only", ["x"]],
  ["b.example.com", "/x", "*.example.com/:only", ["x"]],
  ["c.a.example.com", "/x", "*.example.com/:only", ["x"]],
  ["example.com", "/x", null],
  ["notexample.com", "/x", null],
  ["a.example.com", "/static/app.js", "/static/app.js"],
  ["other", "/static/", "/static/*"],
  ["other", "/static", null],
  ["other", "/static/a/b/c", "/static/*"],
  ["other", "/static/../etc", "/static/*"],
  ["other", "/a/fixed", "/:a/fixed", ["a"]],
  ["other", "/a/b", "/:a/:b", ["a", "b"]],
  ["other", "/static/fixed", "/static/*"],
  ["other", "/a//", null],
  ["other", "/", "/"],
  ["", "/", "/"],
  ["other", "/trailing/", "/trailing/"],
  ["other", "/trailing", null],
  ["other", "/x%20y", "/x%20y"],
  ["other", "/%78%20y", null],
  ["other", "/constructor", null],
];

for (const [name, order] of [
  ["in order", patterns],
  ["in reverse", patterns.toReversed()],
] as const) {
  test(`the most specific route takes a request, added ${name}`, () => {
    const table = new RouteTable();
    for (const pattern of order) table.add(routeOf(pattern));
    assert.equal(table.count, patterns.length);
    for (const [host, path, id, values = []] of cases) {
      const found = table.match(host, path);
      assert.equal(found?.route.id ?? null, id, `${host}${path}`);
      if (found !== null) assert.deepEqual(found.values, values, `${host}${path}`);
    }
  });
}

test("patterns have one shape when they take the same requests, and only then", () => {
  const shapes = patterns.map((pattern) => shapeOf(parsePattern(pattern)));
  assert.equal(new Set(shapes).size, patterns.length);
  const shape = (pattern: string): string => shapeOf(parsePattern(pattern));
  assert.equal(shape("/users/:id"), shape("/users/:name"));
  assert.notEqual(shape("/users/:id"), shape("/users/*"));
  assert.notEqual(shape("a.example.com/x"), shape("*.example.com/x"));
  assert.notEqual(shape("/x"), shape("/x/"));
});

test("what is removed takes nothing, and leaves the others", () => {
  const table = new RouteTable();
  const routes = patterns.map(routeOf);
  for (const route of routes) table.add(route);
  table.remove({ ...routeOf("/static/*"), id: "another that had its place" });
  assert.equal(table.match("other", "/static/x")?.route.id, "/static/*");
  const removed = new Set<string>();
  for (const route of routes) {
    table.remove(route);
    removed.add(route.id);
    assert.equal(table.count, patterns.length - removed.size);
    for (const [host, path] of cases) assert.ok(!removed.has(table.match(host, path)?.route.id ?? ""));
  }
});

test("a path of any length is looked up among ten thousand routes", () => {
  const next = seeded(7);
  const random = (): number => next() / 2 ** 32;
  const table = new RouteTable();
  const kept = new Set<string>();
  while (kept.size < 10_000) {
    const segments = Array.from({ length: 1 + Math.floor(random() * 5) }, () =>
      random() < 0.2 ? `:p${kept.size}x` : `s${Math.floor(random() * 50)}`,
    ).map((segment, index) => (segment.startsWith(":") ? `${segment}${index}` : segment));
    const pattern = `h${Math.floor(random() * 100)}.example/${segments.join("/")}`;
    if (!kept.has(shapeOf(parsePattern(pattern)))) table.add(routeOf(pattern));
    kept.add(shapeOf(parsePattern(pattern)));
  }
  assert.equal(table.count, 10_000);
  for (const shape of [...kept].slice(0, 500)) {
    const slash = shape.indexOf("/");
    const path = shape.slice(slash).replaceAll(":", "value");
    const found = table.match(shape.slice(0, slash), path);
    assert.notEqual(found, null, shape);
  }
  assert.equal(table.match("h1.example", `/${"s1/".repeat(100_000)}`), null);
});
