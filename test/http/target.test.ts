// Targets and Host headers: which function, which path, as text.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { assertPlainPath, functionTarget, hostName, parseTarget } from "../../host/http/target.ts";

test("parseTarget splits at the first question mark and decodes nothing", () => {
  for (const [target, path, query] of [
    ["/", "/", ""],
    ["/a?b?c", "/a", "b?c"],
    ["/a%2fb?%00", "/a%2fb", "%00"],
    ["//x/../y", "//x/../y", ""],
    ["http://h", "/", ""],
    ["http://h?q", "/", "q"],
    ["https://H/a?b", "/a", "b"],
  ] as const) {
    assert.deepEqual(parseTarget(target, "h"), { path, query }, target);
  }
});

test("parseTarget refuses what names another host or is no path", () => {
  for (const target of [
    "",
    "*",
    "a/b",
    "http://other/",
    "http://u@h/",
    "http://h:1/",
    "ftp://h/",
    "h:80",
    "http://h/#a",
  ]) {
    assert.throws(
      () => parseTarget(target, "h"),
      (error) => error instanceof HostError && error.code === "bad_request",
      target,
    );
  }
});

test("hostName leaves out port, brackets and the last dot", () => {
  for (const [host, name] of [
    ["A.Example:80", "a.example"],
    ["a.example.", "a.example"],
    ["a.example.:80", "a.example"],
    ["[::1]:80", "::1"],
    ["[::1]", "::1"],
    ["", ""],
    ["a:", "a"],
    ["a:b", "a:b"],
  ] as const) {
    assert.equal(hostName(host), name, host);
  }
});

test("functionTarget finds name, pin and path", () => {
  const find = (path: string, host = "h") => functionTarget({ path, query: "q" }, host);
  assert.deepEqual(find("/fn/a/b/c"), { name: "a", pin: null, path: "/b/c", query: "q" });
  assert.deepEqual(find("/fn/a@3"), { name: "a", pin: "3", path: "/", query: "q" });
  assert.deepEqual(find("/fn/a@"), { name: "a", pin: "", path: "/", query: "q" });
  assert.deepEqual(find("/fn/b/c", "a.localhost:1"), { name: "a", pin: null, path: "/fn/b/c", query: "q" });
  for (const path of ["/", "/fn", "/FN/a", "/v1/fn/a"]) assert.equal(find(path), null, path);
});

test("assertPlainPath refuses every other spelling of a path of the control plane", () => {
  const code = (path: string): string => {
    try {
      assertPlainPath(path);
      return "ok";
    } catch (error) {
      return error instanceof HostError ? error.code : String(error);
    }
  };
  for (const path of [
    "/",
    "//",
    "/v1/functions",
    "/v1/functions/",
    "/v1/functions/a-1/logs",
    "/a.b",
    "/..a",
  ]) {
    assert.equal(code(path), "ok", path);
  }
  for (const path of [
    "/v1/functions/%61",
    "/v1/functions/A",
    "/v1/functions/..",
    "/v1/functions/%2e/config",
  ]) {
    assert.equal(code(path), "invalid_name", path);
  }
  for (const path of [
    "/v1/functions/a/%6cogs",
    "/v1/%66unctions/%61",
    "/%68ealthz",
    "/v1/./functions",
    "/a/..",
  ]) {
    assert.equal(code(path), "not_found", path);
  }
});
