// Takes orders and publishes them; two functions listen: this one charges, order-shipping ships.
//
//   mayfly trigger add order-pipeline charge topic=orders path=/charge
//   mayfly trigger add order-shipping ship topic=orders attemptsMax=3 backoffMs=200
//   curl -d '{"item":"lamp","count":1}' http://127.0.0.1:4747/fn/order-pipeline
//
// There are no lamps: order-shipping refuses, and after three attempts its event is a dead letter. The
// other function's copy of the event is none the wiser.
//
//   mayfly events list --state dead
//   curl -d 10 http://127.0.0.1:4747/fn/order-shipping/stock/lamp
//   mayfly events redrive --function order-shipping

import { CloudEvent, events, JSON, JsonObject, kv, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  if (req.path === "/charge") return charge(req);
  if (req.path !== "/") return Response.text("No such page\n", 404);
  if (req.method !== "POST") return Response.text("POST an order\n", 405).header("allow", "POST");
  const order = orderIn(req.text());
  if (order === null) return refusal();
  const item = order.getString("item");
  if (item === null || order.getInteger("count") < 1) return refusal();
  const event = CloudEvent.json("shop.order.placed", order.toString());
  event.subject = item;
  const id = events.publish("orders", event);
  return Response.json(new JsonObject().set("order", id).toString(), 202);
}

/** Once for each order: the event may come again. */
function charge(req: Request): Response {
  const event = events.from(req);
  if (event === null) return Response.text("Only events charge\n", 400);
  kv.open("charged").compareAndSet(event.id, null, event.text());
  return new Response(204);
}

function refusal(): Response {
  return Response.text('Send an order such as {"item":"lamp","count":1}\n', 400);
}

/** The object in a text of JSON, or null when it holds none. */
function orderIn(text: string): JsonObject | null {
  const value = JSON.parse(text);
  return value === null ? null : value.asObject();
}
