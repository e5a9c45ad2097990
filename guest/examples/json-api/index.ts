// Takes an order as JSON, checks it, and answers with the order and its total as JSON.
//
//   curl -H 'content-type: application/json' \
//     -d '{"customer":"Ada","items":[{"name":"tea","price":4.5,"quantity":2}]}' \
//     http://127.0.0.1:4747/fn/json-api/orders
//
// Each way to get it wrong has an answer of its own: 404 for another path, 405 for another method,
// 415 for another content type, 400 for what is not JSON, 422 with a list of every faulty field.

import { JSON, JsonArray, JsonObject, JsonValue, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  if (req.path !== "/orders") return fault(404, "No such path, try /orders");
  if (req.method !== "POST") return fault(405, "Only POST is allowed here").header("allow", "POST");
  if (!req.isType("application/json")) return fault(415, "Send the order as application/json");

  const body = JSON.parse(req.text());
  if (!body) return fault(400, "The body is not JSON: " + JSON.error());
  const order = body.asObject();
  if (!order) return fault(422, "The body is not a JSON object");

  const faults = new JsonArray();
  if (!order.getString("customer")) addFault(faults, "customer", "want a name");
  const items = order.getArray("items");
  const cents = items ? addUp(items, faults) : 0;
  if (!items || items.length === 0) addFault(faults, "items", "want a list of at least one item");
  if (faults.length > 0) {
    return Response.json(
      new JsonObject().set("error", "The order is not valid").set("faults", faults).toString(),
      422,
    );
  }
  return Response.json(order.set("total", cents / 100).toString(), 201);
}

/** The sum of all items in cents; a fault is noted for each field that is not as it should be. */
function addUp(items: JsonArray, faults: JsonArray): f64 {
  let cents: f64 = 0;
  for (let i = 0; i < items.length; i++)
    cents += itemCents(items.at(i), "items[" + i.toString() + "]", faults);
  return cents;
}

function itemCents(value: JsonValue, field: string, faults: JsonArray): f64 {
  const item = value.asObject();
  if (!item) {
    addFault(faults, field, "want an object");
    return 0;
  }
  const price = item.getNumber("price");
  const quantity = item.getInteger("quantity");
  if (!item.getString("name")) addFault(faults, field + ".name", "want a name");
  // A price that is missing or no number is NaN, for which no comparison holds.
  if (!(price >= 0)) addFault(faults, field + ".price", "want a number from 0 up");
  if (quantity < 1 || quantity > 1000)
    addFault(faults, field + ".quantity", "want a whole number from 1 to 1000");
  return Math.round(price * 100) * <f64>quantity;
}

function addFault(faults: JsonArray, field: string, message: string): void {
  faults.push(new JsonObject().set("field", field).set("message", message));
}

function fault(status: i32, message: string): Response {
  return Response.json(new JsonObject().set("error", message).toString(), status);
}
