// Ships orders from stock. What cannot be shipped is refused, so that the host tries again, and keeps it
// as a dead letter when that does not help (order-pipeline has the commands).
//
//   curl http://127.0.0.1:4747/fn/order-shipping/stock/lamp
//   curl -d 10 http://127.0.0.1:4747/fn/order-shipping/stock/lamp

import { CloudEvent, events, JSON, JsonObject, kv, log, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event !== null) return ship(event);
  if (!req.path.startsWith("/stock/")) return Response.text("No such page\n", 404);
  const delivered = req.method === "POST" ? I64.parseInt(req.text()) : 0;
  const left = kv.open("stock").increment(req.path.slice("/stock/".length), delivered);
  return Response.json(new JsonObject().set("left", left).toString());
}

function ship(event: CloudEvent): Response {
  const order = orderIn(event.text());
  if (order === null) return Response.text("no order\n", 400);
  const item = order.getString("item");
  if (item === null) return Response.text("no order\n", 400);
  // The event may come again. An order is noted before it is taken from the stock: should the host end
  // in between, the stock says one too many, and nothing is shipped twice.
  const shipped = kv.open("shipped");
  if (!shipped.compareAndSet(event.id, null, event.text())) return new Response(204);
  const count = order.getInteger("count");
  const stock = kv.open("stock");
  if (stock.increment(item, -count) >= 0) return new Response(204);
  stock.increment(item, count);
  shipped.delete(event.id);
  log.warn("out of " + item);
  return Response.text("out of stock\n", 503);
}

/** The object in a text of JSON, or null when it holds none. */
function orderIn(text: string): JsonObject | null {
  const value = JSON.parse(text);
  return value === null ? null : value.asObject();
}
