// The json-api example: an order in, its total out, and an answer for each way to get it wrong.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { callGuest, type GuestRequest } from "./guest-harness.ts";
import { exampleModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await exampleModule("json-api");
});

const json = [["content-type", "application/json; charset=utf-8"]] as const;
const post = (body: string, more: GuestRequest = {}) =>
  callGuest(module, { method: "POST", path: "/orders", headers: json, body, ...more });

test("a valid order is answered with its total", () => {
  const order = {
    customer: "Ada",
    items: [
      { name: "tea", price: 0.1, quantity: 3 },
      { name: "cup", price: 7, quantity: 2 },
    ],
  };
  const answer = post(JSON.stringify(order));
  assert.equal(answer.status, 201);
  assert.deepEqual(JSON.parse(answer.text), { ...order, total: 14.3 });
});

test("another path is 404", () => {
  assert.equal(post("{}", { path: "/" }).status, 404);
});

test("another method is 405 with Allow", () => {
  const answer = post("", { method: "GET" });
  assert.equal(answer.status, 405);
  assert.deepEqual(answer.headers.at(-1), ["allow", "POST"]);
});

test("another content type is 415", () => {
  assert.equal(post("{}", { headers: [["content-type", "text/plain"]] }).status, 415);
  assert.equal(post("{}", { headers: [] }).status, 415);
});

test("what is not JSON is 400 and says where", () => {
  const answer = post('{"customer": }');
  assert.equal(answer.status, 400);
  assert.deepEqual(JSON.parse(answer.text), {
    error: "The body is not JSON: line 1, column 14: want a value",
  });
});

describe("faulty fields are 422, each one named:", () => {
  const rows: readonly (readonly [body: unknown, fields: readonly string[]])[] = [
    [{}, ["customer", "items"]],
    [{ customer: "", items: [] }, ["customer", "items"]],
    [{ customer: 1, items: {} }, ["customer", "items"]],
    [{ customer: "A", items: [1] }, ["items[0]"]],
    [{ customer: "A", items: [{}] }, ["items[0].name", "items[0].price", "items[0].quantity"]],
    [
      { customer: "A", items: [{ name: "x", price: -1, quantity: 0.5 }] },
      ["items[0].price", "items[0].quantity"],
    ],
    [
      { customer: "A", items: [{ name: "x", price: "1", quantity: 1001 }] },
      ["items[0].price", "items[0].quantity"],
    ],
  ];
  for (const [body, fields] of rows) {
    test(JSON.stringify(body), () => {
      const answer = post(JSON.stringify(body));
      assert.equal(answer.status, 422);
      const faults: { field: string }[] = JSON.parse(answer.text).faults;
      assert.deepEqual(
        faults.map(({ field }) => field),
        fields,
      );
    });
  }

  test("an array instead of an object", () => {
    assert.equal(post("[]").status, 422);
  });
});
