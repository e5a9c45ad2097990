// /v1/functions/{name}/aliases, promote and rollback: which versions run.

import { type Context, Hono } from "hono";
import { z } from "zod";
import { type Alias, aliasName, liveAlias, parseSplit, wholeShare } from "../alias.ts";
import type { Releases } from "../deploy/releases.ts";
import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { callPath, plainName } from "../namespace.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { ControlEnv } from "./app.ts";
import { conditionOf } from "./conditions.ts";
import { functionIn } from "./request-access.ts";
import { shownFunction } from "./shown-function.ts";
import { readJson } from "./stream-body.ts";

export type AliasRouteParts = {
  readonly functions: Pick<FunctionStore, "live" | "aliases" | "release">;
  readonly releases: Pick<Releases, "put" | "remove" | "promote" | "rollback" | "required">;
  /** The address under which functions are called, `http://127.0.0.1:4747`. */
  readonly baseUrl: () => string;
};

const version = z.int("want the number of a version").min(1);
const rollbackSchema = z.strictObject({ version: version.optional(), alias: z.string().optional() });
const promoteSchema = z.strictObject({ alias: z.string().optional() });

export function aliasRoutes({ functions, releases, baseUrl }: AliasRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const shown = (deployment: Deployment) =>
    shownFunction(deployment, functions.release(deployment.name, deployment.alias ?? ""), baseUrl());

  routes.get("/:name/aliases", (context) => {
    const name = functionIn(context);
    if (functions.live(name) === null)
      throw new HostError("function_not_found", `No function "${plainName(name)}"`);
    return context.json({ aliases: functions.aliases(name).map((alias) => shownAlias(alias, baseUrl())) });
  });

  routes.get("/:name/aliases/:alias", (context) => {
    const { name, alias } = namesOf(context);
    const found = releases.required(name, alias);
    return context.json(shownAlias(found, baseUrl()), 200, { etag: etagOf(found) });
  });

  routes.put("/:name/aliases/:alias", async (context) => {
    const { name, alias } = namesOf(context);
    const split = parseSplit(await readJson(context.req.raw, "invalid_alias"));
    const put = await releases.put(name, alias, split, conditionOf(context, revisionOf));
    return context.json(shownAlias(put.alias, baseUrl()), put.created ? 201 : 200, {
      etag: etagOf(put.alias),
    });
  });

  routes.delete("/:name/aliases/:alias", async (context) => {
    const { name, alias } = namesOf(context);
    await releases.remove(name, alias, conditionOf(context, revisionOf));
    return context.body(null, 204);
  });

  routes.post("/:name/promote", async (context) => {
    const name = functionIn(context);
    const { alias } = await readBody(
      context,
      promoteSchema,
      'Cannot promote: want {} or {"alias": "canary"}',
    );
    return context.json(shown(await releases.promote(name, alias && aliasName(alias))));
  });

  routes.post("/:name/rollback", async (context) => {
    const name = functionIn(context);
    const body = await readBody(context, rollbackSchema, 'Cannot roll back: want {"version": 1}, or {}');
    const { version = null, alias } = body;
    return context.json(shown(await releases.rollback(name, version, alias && aliasName(alias))));
  });

  return routes;
}

/** Reads a JSON body by its schema; throws `bad_request` that says what is wanted. */
async function readBody<value>(
  context: Context<ControlEnv>,
  schema: z.ZodType<value>,
  wanted: string,
): Promise<value> {
  const body = schema.safeParse(await readJson(context.req.raw, "bad_request"));
  if (body.success) return body.data;
  throw new HostError("bad_request", `${wanted}; ${z.prettifyError(body.error).replaceAll("\n", " ")}`);
}

function namesOf(context: Context<ControlEnv>): { name: string; alias: string } {
  return { name: functionIn(context), alias: aliasName(context.req.param("alias") ?? "") };
}

function shownAlias(alias: Alias, baseUrl: string) {
  const { function: name, name: id, version, canary, sticky, versionBefore, changedAtMs } = alias;
  const share = canary?.share ?? 0;
  const stable = { version, percent: (wholeShare - share) / 100 };
  const takenBack = canary?.takenBack ?? null;
  return {
    function: plainName(name),
    alias: id,
    versions: canary === null ? [stable] : [stable, { version: canary.version, percent: share / 100 }],
    sticky,
    guard: canary?.guard ?? null,
    takenBack: takenBack && { at: new Date(takenBack.atMs).toISOString(), reason: takenBack.reason },
    versionBefore,
    changedAt: new Date(changedAtMs).toISOString(),
    url: `${baseUrl}${callPath(name)}${id === liveAlias ? "" : `@${id}`}`,
  };
}

const etagOf = ({ revision }: Alias): string => `"${revision}"`;

function revisionOf(tag: string): number | null {
  const [, revision] = /^"(\d{1,15})"$/.exec(tag) ?? [];
  return revision === undefined ? null : Number(revision);
}
