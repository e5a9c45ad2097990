import assert from "node:assert/strict";
import { test } from "node:test";
import { needOf } from "../../host/http/request-access.ts";
import { namespaceOf, plainName, qualifiedName } from "../../host/namespace.ts";
import { allows, parseTokenSettings, reaches, type Scope } from "../../host/token.ts";

test("a name and its namespace are kept as one text, and none of them is like another", () => {
  const names = ["a", "b", "a-b", "default", "ab"];
  const seen = new Map<string, string>();
  for (const name of names) {
    for (const namespace of names) {
      const kept = qualifiedName(name, namespace);
      assert.deepEqual([plainName(kept), namespaceOf(kept)], [name, namespace]);
      assert.equal(seen.get(kept), undefined, kept);
      seen.set(kept, `${name} ${namespace}`);
    }
  }
});

test("scopes imply what is less", () => {
  const allowed = (given: Scope, wanted: Scope) => allows({ scopes: [given] }, [wanted]);
  const table = {
    read: ["read"],
    deploy: ["read", "deploy"],
    invoke: ["invoke"],
    admin: ["read", "deploy", "invoke", "admin"],
  } as const;
  for (const [given, all] of Object.entries(table)) {
    for (const wanted of ["read", "deploy", "invoke", "admin"] as const) {
      assert.equal(
        allowed(given as Scope, wanted),
        all.some((each) => each === wanted),
        `${given} ${wanted}`,
      );
    }
  }
});

test("a pattern is for names of its namespace, and reaches into no other", () => {
  for (const [patterns, namespace, kept, expected] of [
    [["*"], "team", "shop.team", true],
    [["*"], "team", "shop", false],
    [["*"], "team", "shop.other", false],
    [["*"], "default", "shop", true],
    [["*"], "default", "shop.team", false],
    [["*"], null, "shop.team", true],
    [["shop-*"], "default", "shop-a", true],
    [["shop-*"], "default", "shop", false],
    [["*-shop"], "default", "a-shop", true],
    [["a*b*c"], "default", "a-b-c", true],
    [["a*b*c"], "default", "ac", false],
    [["ab*ba"], "default", "aba", false],
    [["x", "shop"], "default", "shop", true],
    [["*team"], "default", "shop.team", false],
  ] as const) {
    assert.equal(reaches({ names: [...patterns], namespace }, kept), expected, `${patterns} ${kept}`);
  }
  // No pattern takes long, however many stars it has.
  assert.equal(reaches({ names: [`${"a*".repeat(31)}b`], namespace: "default" }, "a".repeat(63)), false);
});

test("settings that would be more than they say are refused", () => {
  assert.deepEqual(parseTokenSettings({ scopes: ["read"] }).names, ["*"]);
  for (const settings of [
    {},
    { scopes: [] },
    { scopes: ["root"] },
    { scopes: ["read"], names: [] },
    { scopes: ["read"], names: ["a.b"] },
    { scopes: ["read"], names: ["*.team"] },
    { scopes: ["read"], names: ["A"] },
    { scopes: ["admin"], names: ["shop-*"] },
    { scopes: ["read"], expiresInS: 0 },
    { scopes: ["read"], expiresInS: 1e12 },
    { scopes: ["read"], namespace: "team" },
    { scopes: ["read"], id: "0" },
  ]) {
    assert.throws(() => parseTokenSettings(settings), JSON.stringify(settings));
  }
});

test("a route that nobody has thought of is one of the whole host", () => {
  assert.deepEqual(needOf("GET", "/v1/usage"), { scopes: ["read"], name: null, ofHost: true });
  assert.deepEqual(needOf("POST", "/v1/new"), { scopes: ["deploy"], name: null, ofHost: true });
  assert.deepEqual(needOf("PUT", "/v1/namespaces/team"), { scopes: ["admin"], name: null, ofHost: true });
  assert.deepEqual(needOf("PUT", "/v1/kv/links/a"), { scopes: ["deploy"], name: "links", ofHost: false });
  assert.deepEqual(needOf("GET", "/v1/invocations/x"), {
    scopes: ["read", "invoke"],
    name: null,
    ofHost: false,
  });
});
