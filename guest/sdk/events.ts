// Events: what has started this call, and what it tells others.

import { CloudEvent } from "./cloud-event";
import { decodePercentText } from "./percent-text";
import { question } from "./question";
import { Request } from "./request";

/**
 * What triggers deliver, and what a function publishes.
 *
 * ```ts
 * export function handle(req: Request): Response {
 *   const event = events.from(req);
 *   if (event === null) return Response.text("started by no event", 400);
 *   log.info(event.type + " " + event.text());
 *   return new Response(204);
 * }
 * ```
 */
export namespace events {
  /**
   * The event that a request brings in the binary mode of CloudEvents' HTTP binding, as triggers do, or
   * `null` when it brings none.
   *
   * ```ts
   * const event = events.from(req);
   * ```
   */
  export function from(req: Request): CloudEvent | null {
    if (req.header("ce-specversion") === null) return null;
    const event = new CloudEvent("", req.body);
    const headers = req.headers;
    for (let i = 0; i < headers.length; i++) {
      const name = headers.nameAt(i);
      if (name.startsWith("ce-")) event.setAttribute(name.slice(3), decodePercentText(headers.valueAt(i)));
      else if (name === "content-type") event.dataContentType = headers.valueAt(i);
    }
    return event;
  }

  /**
   * Publishes an event to a topic: each function that listens gets it, and gets it again until it has
   * answered well. It is on disk when this returns. Gives the event's id.
   *
   * ```ts
   * events.publish("orders", CloudEvent.json("shop.order.placed", order.toString()));
   * ```
   */
  export function publish(topic: string, event: CloudEvent): string {
    const args = [topic].concat(event.attributes());
    return question("events.publish", args, event.data).values[0];
  }
}
