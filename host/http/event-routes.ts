// /v1/events: what waits, runs or was given up, and what is to become of it.

import { type Context, Hono } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import type { Delivery, ListedDelivery } from "../event.ts";
import type { EventQueue } from "../events/queue.ts";
import { plainName } from "../namespace.ts";
import type { EventStore } from "../store/event-store.ts";
import type { ControlEnv } from "./app.ts";
import { readQuery } from "./query.ts";
import { accessOf, functionAsked, namespaceIn, sees } from "./request-access.ts";

export type EventRouteParts = {
  readonly queue: EventQueue;
  readonly events: Pick<EventStore, "get" | "list">;
};

const filter = {
  function: z.string().optional(),
  trigger: z.string().optional(),
};
const listSchema = z.strictObject({
  state: z.enum(["ready", "leased", "dead"]).optional(),
  ...filter,
  cursor: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
const redriveSchema = z.strictObject(filter);

export function eventRoutes({ queue, events }: EventRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  /** One that the request may touch; another one is not there. */
  const find = (context: Context<ControlEnv>, what = "No event"): { id: number; delivery: Delivery } => {
    const id = readId(context.req.param("id") ?? "");
    const delivery = events.get(id);
    if (delivery !== null && sees(accessOf(context), delivery.function)) return { id, delivery };
    throw new HostError("event_not_found", `${what} ${id}: it has been delivered, or dropped`);
  };

  routes.get("/", (context) => {
    const { state, function: name, trigger, cursor, limit } = readQuery(context, listSchema);
    const wanted = {
      namespace: namespaceIn(context),
      state: state ?? null,
      function: functionAsked(context, name),
      trigger: trigger ?? null,
    };
    const found = events.list(wanted, cursor, limit + 1);
    const page = found.slice(0, limit);
    return context.json({
      events: page.map(summary),
      cursor: found.length > limit ? String(page.at(-1)?.id) : null,
    });
  });

  routes.post("/redrive", async (context) => {
    const { function: name, trigger } = readQuery(context, redriveSchema);
    const redriven = await queue.redrive({
      id: null,
      namespace: namespaceIn(context),
      function: functionAsked(context, name),
      trigger: trigger ?? null,
    });
    return context.json({ redriven });
  });

  routes.get("/:id", (context) => {
    const { delivery } = find(context);
    const { data, ...head } = delivery.event;
    const shown = summary({ ...delivery, event: { ...head, bytes: data.byteLength } });
    return context.json({ ...shown, data_base64: Buffer.from(data).toString("base64") });
  });

  routes.post("/:id/redrive", async (context) => {
    const { id } = find(context, "No dead letter");
    const wanted = { id, namespace: namespaceIn(context), function: null, trigger: null };
    const redriven = await queue.redrive(wanted);
    if (redriven === 0) throw new HostError("event_not_found", `No dead letter ${id}`);
    return context.json({ redriven });
  });

  routes.delete("/:id", async (context) => {
    const { id } = find(context);
    if (!(await queue.drop(id))) throw notFound(id);
    return context.body(null, 204);
  });

  return routes;
}

function summary({
  id,
  function: name,
  trigger,
  state,
  attempts,
  dueAtMs,
  createdAtMs,
  fault,
  event,
}: ListedDelivery) {
  return {
    id,
    function: plainName(name),
    trigger,
    state,
    attempts,
    createdAt: new Date(createdAtMs).toISOString(),
    dueAt: state === "ready" ? new Date(dueAtMs).toISOString() : null,
    error: fault,
    depth: event.depth,
    attributes: { specversion: "1.0", ...event.attributes },
    bytes: event.bytes,
  };
}

function readId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new HostError("event_not_found", `No event ${JSON.stringify(text.slice(0, 40))}: want a number`);
}

function notFound(id: number): HostError {
  return new HostError("event_not_found", `No event ${id}: it has been delivered, or dropped`);
}
