// /v1/topics/{topic}: publishing events, in any mode of CloudEvents' HTTP binding.

import { Hono } from "hono";
import { readEvents, withTrace } from "../events/cloud-events.ts";
import type { EventQueue } from "../events/queue.ts";
import { topicName } from "../key.ts";
import { Traces } from "../trace-context.ts";
import type { ControlEnv } from "./app.ts";
import type { BodyBudget } from "./body-budget.ts";
import { eventsBody } from "./body-bytes.ts";
import { depthOf } from "./headers.ts";
import { namespaceIn } from "./request-access.ts";
import { readStream } from "./stream-body.ts";

export type TopicRouteParts = {
  readonly queue: EventQueue;
  /** Room in memory for events on their way in. */
  readonly bodies: BodyBudget;
};

/** A publication is no call: whoever publishes is the one who called. */
const passedOn = new Traces(null);

export function topicRoutes({ queue, bodies }: TopicRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.post("/:topic", async (context) => {
    const topic = topicName(context.req.param("topic"), namespaceIn(context));
    using share = bodies.share();
    const body = await readStream(context.req.raw, eventsBody, share);
    const headers = new Map(context.req.raw.headers);
    const contentType = headers.get("content-type") ?? "";
    const depth = depthOf(headers.get("x-mayfly-depth")) + 1;
    const trace = passedOn.of(headers.get("traceparent"), headers.get("tracestate"));
    const events = readEvents({ contentType, headers, body, depth }).map((event) => {
      return { ...event, attributes: withTrace(event.attributes, trace) };
    });
    const { deliveries } = await queue.publish(topic, events);
    return context.json({ ids: events.map(({ attributes }) => attributes["id"]), deliveries }, 202);
  });
  return routes;
}
