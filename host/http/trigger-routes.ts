// /v1/functions/{name}/triggers: what starts a function besides HTTP.

import { type Context, Hono } from "hono";
import { HostError } from "../errors.ts";
import type { TriggerKey } from "../event.ts";
import { assertSchedule } from "../events/cron.ts";
import { triggerName } from "../key.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { ShownReplication } from "../replication.ts";
import type { EventStore } from "../store/event-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { type PostgresSettings, parseTrigger, type Trigger, type TriggerSettings } from "../trigger.ts";
import type { ControlEnv } from "./app.ts";
import { functionIn } from "./request-access.ts";
import { readJson } from "./stream-body.ts";

export type TriggerRouteParts = {
  readonly functions: Pick<FunctionStore, "live">;
  readonly events: Pick<EventStore, "triggers" | "trigger" | "putTrigger" | "removeTrigger">;
  /** Of triggers of kind `postgres`. */
  readonly replications: {
    put(key: TriggerKey, settings: PostgresSettings): Promise<boolean>;
    shown(key: TriggerKey): ShownReplication | null;
  };
  /** Told of a trigger that was added, changed or removed. */
  readonly onTrigger: (key: { readonly function: string; readonly trigger: string }) => void;
};

export function triggerRoutes(parts: TriggerRouteParts): Hono<ControlEnv> {
  const { functions, events, replications, onTrigger } = parts;
  const routes = new Hono<ControlEnv>();
  const requireFunction = (context: Context<ControlEnv>): string => {
    const name = functionIn(context);
    if (functions.live(name) !== null) return name;
    throw new HostError("function_not_found", `No function "${plainName(name)}"`);
  };

  routes.get("/:name/triggers", (context) => {
    const name = requireFunction(context);
    return context.json({ triggers: events.triggers(name).map((trigger) => shown(trigger, parts)) });
  });

  routes.get("/:name/triggers/:trigger", (context) => {
    const key = {
      function: requireFunction(context),
      trigger: triggerName(context.req.param("trigger")),
    };
    const trigger = events.trigger(key);
    if (trigger === null) throw notFound(key.function, key.trigger);
    return context.json(shown(trigger, parts));
  });

  routes.put("/:name/triggers/:trigger", async (context) => {
    const name = requireFunction(context);
    const key = { function: name, trigger: triggerName(context.req.param("trigger")) };
    const settings = parseTrigger(await readJson(context.req.raw, "invalid_trigger"));
    if (settings.kind === "schedule") assertSchedule(settings, Date.now());
    const known = events.triggers(name);
    if (known.length >= limits.triggersPerFunctionMax && !known.some(({ name: id }) => id === key.trigger)) {
      throw new HostError(
        "invalid_trigger",
        `"${plainName(name)}" has ${known.length} triggers, which is the limit`,
      );
    }
    const created =
      settings.kind === "postgres"
        ? await replications.put(key, settings)
        : await events.putTrigger(key, settings);
    onTrigger(key);
    return context.json(
      { id: key.trigger, function: plainName(name), ...visible(settings), ...replications.shown(key) },
      created ? 201 : 200,
    );
  });

  routes.delete("/:name/triggers/:trigger", async (context) => {
    const name = requireFunction(context);
    const key = { function: name, trigger: triggerName(context.req.param("trigger")) };
    if (!(await events.removeTrigger(key))) throw notFound(name, key.trigger);
    onTrigger(key);
    return context.body(null, 204);
  });

  return routes;
}

function shown(
  { name, function: functionName, settings, createdAtMs }: Trigger,
  { replications }: Pick<TriggerRouteParts, "replications">,
) {
  return {
    id: name,
    function: plainName(functionName),
    ...visible(settings),
    ...replications.shown({ function: functionName, trigger: name }),
    createdAt: new Date(createdAtMs).toISOString(),
  };
}

/** A URL of a database is a secret: it goes in, and never out. */
function visible(settings: TriggerSettings): object {
  return settings.kind === "postgres" ? { ...settings, url: undefined } : settings;
}

function notFound(name: string, trigger: string): HostError {
  return new HostError("trigger_not_found", `"${plainName(name)}" has no trigger "${trigger}"`);
}
