// /v1/invocations: what has become of asynchronous calls, and of calls of every kind that ended lately.

import { type Context, Hono } from "hono";
import { z } from "zod";
import type { AsyncCall } from "../async-call.ts";
import { type CallOutcome, errorTable, HostError } from "../errors.ts";
import { type AsyncCalls, headerObject } from "../events/async-calls.ts";
import { defaultNamespace, plainName } from "../namespace.ts";
import type { RecentCall, RecentCalls } from "../observe/recent-calls.ts";
import type { ControlEnv } from "./app.ts";
import { readQuery } from "./query.ts";
import { accessOf, functionAsked, isForHost, type RequestAccess, sees } from "./request-access.ts";

export type InvocationRouteParts = {
  readonly asyncCalls: Pick<AsyncCalls, "store" | "remove">;
  readonly recentCalls: Pick<RecentCalls, "list" | "get" | "skipped">;
};

const outcomes = ["ok", "client_gone", ...Object.keys(errorTable)] as [CallOutcome, ...CallOutcome[]];

const listSchema = z.strictObject({
  function: z.string().optional(),
  /** Asynchronous calls in that state. */
  state: z.enum(["queued", "running", "succeeded", "failed"]).optional(),
  /** Calls of every kind that ended so, lately. */
  outcome: z.enum(["any", "failed", ...outcomes]).optional(),
  cursor: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function invocationRoutes({ asyncCalls, recentCalls }: InvocationRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const { store } = asyncCalls;
  /** One that the request may touch; another one is not there. */
  const find = (context: Context<ControlEnv>): AsyncCall => {
    const id = context.req.param("id") ?? "";
    const call = store.get(id);
    if (call === null || !sees(accessOf(context), call.function)) throw notFound(id);
    return call;
  };

  routes.get("/", (context) => {
    const { function: name, state, outcome, cursor, limit } = readQuery(context, listSchema);
    const access = accessOf(context);
    const asked = functionAsked(context, name);
    if (outcome !== undefined) {
      if (state !== undefined) {
        throw new HostError(
          "bad_request",
          "Cannot read the query: state is of asynchronous calls, outcome of calls that ended lately; ask for one of them",
        );
      }
      const wanted = {
        among: (of: string | null) => (asked === null ? seesRecent(access, of) : of === asked),
        outcome: outcome === "any" ? null : outcome,
      };
      const before = cursor === 0 ? Number.MAX_SAFE_INTEGER : cursor;
      const recent = recentCalls.list(wanted, before, limit + 1);
      return context.json({
        invocations: recent.slice(0, limit).map(recentSummary),
        cursor: recent.length > limit ? String(recent[limit - 1]?.place) : null,
        skipped: recentCalls.skipped,
      });
    }
    const filter = { namespace: access.namespace, function: asked, state: state ?? null };
    const found = store.list(filter, cursor, limit + 1);
    const page = found.slice(0, limit);
    return context.json({
      invocations: page.map(summary),
      cursor: found.length > limit ? String(page.at(-1)?.place) : null,
    });
  });

  routes.get("/:id", (context) => {
    const id = context.req.param("id");
    const recent = store.get(id) === null ? recentCalls.get(id) : null;
    if (recent !== null && seesRecent(accessOf(context), recent.function)) {
      return context.json(recentSummary(recent));
    }
    const call = find(context);
    const { answer } = call;
    const shown =
      answer === null
        ? null
        : {
            status: answer.status,
            headers: headerObject(answer.headers),
            body_base64: Buffer.from(answer.body).toString("base64"),
          };
    return context.json({ ...summary(call), answer: shown });
  });

  routes.get("/:id/answer", (context) => {
    const { id, answer, state, fault } = find(context);
    if (answer === null) {
      const why =
        state === "failed" ? `it failed: ${fault?.message ?? "no reason is known"}` : `it is ${state}`;
      throw new HostError("no_answer", `The call ${id} has no answer: ${why}`);
    }
    // As data: under the host's own name the function's page is no page.
    return context.body(new Uint8Array(answer.body), 200, {
      "content-type": headerObject(answer.headers)["content-type"] ?? "application/octet-stream",
      "content-security-policy": "sandbox",
      "x-mayfly-answer-status": String(answer.status),
    });
  });

  routes.delete("/:id", async (context) => {
    const { id } = find(context);
    if (!(await asyncCalls.remove(id))) throw notFound(id);
    return context.body(null, 204);
  });

  return routes;
}

function summary({
  id,
  function: name,
  state,
  attempts,
  createdAtMs,
  finishedAtMs,
  expiresAtMs,
  fault,
}: Omit<AsyncCall, "answer">) {
  return {
    id,
    function: plainName(name),
    state,
    attempts,
    createdAt: timeText(createdAtMs),
    finishedAt: timeText(finishedAtMs),
    expiresAt: timeText(expiresAtMs),
    error: fault,
  };
}

/** Calls of no function are shown to whoever is for the whole host. */
function seesRecent(access: RequestAccess, name: string | null): boolean {
  if (name !== null) return sees(access, name);
  return access.namespace === defaultNamespace && (access.token === null || isForHost(access.token));
}

function recentSummary(call: RecentCall) {
  const { endedAtMs, timings, place: _, outcome, function: name, ...others } = call;
  const rest = { ...others, function: name === null ? null : plainName(name) };
  const { cpu = null, pageMs = 0, hostCalls = 0, ...phases } = timings;
  return {
    ...rest,
    state: outcome === "ok" ? "succeeded" : "failed",
    outcome,
    endedAt: timeText(endedAtMs),
    /** Milliseconds of each phase that took place. */
    phases,
    cpuMs: cpu,
    gbSeconds: (pageMs * 65_536) / 1e12,
    hostCalls,
  };
}

function timeText(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

function notFound(id: string): HostError {
  return new HostError(
    "invocation_not_found",
    `No call ${JSON.stringify(id.slice(0, 40))} that is asynchronous or ended lately: its time is over, or there was none`,
  );
}
