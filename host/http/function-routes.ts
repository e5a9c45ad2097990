// /v1/functions: upload, list, show, versions, configuration, removal.

import { Hono } from "hono";
import { z } from "zod";
import { liveAlias } from "../alias.ts";
import type { Deployer } from "../deploy/deployer.ts";
import { type ErrorCode, HostError } from "../errors.ts";
import { type Deployment, functionConfigDefault, parseFunctionConfig } from "../function.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { ControlEnv } from "./app.ts";
import { BodyBudget } from "./body-budget.ts";
import { readUpload } from "./deploy-upload.ts";
import { readQuery } from "./query.ts";
import { accessOf, functionIn, sees } from "./request-access.ts";
import { ClientGone } from "./request-body.ts";
import { Semaphore } from "./semaphore.ts";
import { shownFunction, shownVersion } from "./shown-function.ts";
import { readJson } from "./stream-body.ts";

export type FunctionRouteParts = {
  readonly functions: Pick<FunctionStore, "list" | "live" | "release" | "aliases" | "versions" | "config">;
  readonly deployer: Pick<Deployer, "deploy" | "remove" | "putConfig" | "unquarantine">;
  /** Room in memory for uploads; as much as the deploys at once may take unless given. */
  readonly uploads?: BodyBudget;
  /** The address under which functions are called, `http://127.0.0.1:4747`. */
  readonly baseUrl: () => string;
  readonly onDeploy: (outcome: "created" | "unchanged" | ErrorCode) => void;
};

const deploySchema = z.object({
  live: z.enum(["true", "false"], "want true or false").default("true"),
});

export function functionRoutes(parts: FunctionRouteParts): Hono<ControlEnv> {
  const { functions, deployer } = parts;
  const routes = new Hono<ControlEnv>();
  // Reading takes no place: a few clients that dribble would keep all others from deploying. What is
  // read is in memory until it is deployed, and is bounded by its bytes.
  const { uploads = new BodyBudget(limits.deploysAtOnceMax * limits.moduleBytesMax) } = parts;
  const deploys = new Semaphore(limits.deploysAtOnceMax);

  const live = (name: string): Deployment => liveFunction(functions, name);
  const shown = (deployment: Deployment) =>
    shownFunction(deployment, functions.release(deployment.name, liveAlias), parts.baseUrl());

  routes.get("/", (context) => {
    const access = accessOf(context);
    const seen = functions.list().filter(({ name }) => sees(access, name));
    return context.json({ functions: seen.map(shown) });
  });

  routes.put("/:name", async (context) => {
    const name = functionIn(context);
    const isLive = readQuery(context, deploySchema).live === "true";
    try {
      using share = uploads.share();
      const { module, files } = await readUpload(context.req.raw, share);
      using _place = await deploys.take();
      const { deployment, created } = await deployer.deploy(name, module, { archive: files, isLive });
      parts.onDeploy(created ? "created" : "unchanged");
      return context.json(shown(deployment), created ? 201 : 200);
    } catch (error) {
      if (!(error instanceof ClientGone)) {
        parts.onDeploy(error instanceof HostError ? error.code : "internal");
      }
      throw error;
    }
  });

  routes.get("/:name", (context) => context.json(shown(live(functionIn(context)))));

  routes.delete("/:name", async (context) => {
    await deployer.remove(functionIn(context));
    return context.body(null, 204);
  });

  routes.get("/:name/versions", (context) => {
    const { name, version } = live(functionIn(context));
    const aliases = functions.aliases(name);
    const namesOf = (number: number) =>
      aliases
        .filter((alias) => alias.version === number || alias.canary?.version === number)
        .map(({ name: alias }) => alias);
    const versions = functions.versions(name).map((row) => ({
      ...shownVersion(row),
      live: row.version === version,
      aliases: namesOf(row.version),
    }));
    return context.json({ versions });
  });

  routes.get("/:name/config", (context) => {
    const name = functionIn(context);
    return context.json(functions.config(name) ?? functionConfigDefault);
  });

  routes.put("/:name/config", async (context) => {
    const name = functionIn(context);
    const config = parseFunctionConfig(await readJson(context.req.raw, "invalid_config"));
    await deployer.putConfig(name, config);
    return context.json(config);
  });

  routes.post("/:name/unquarantine", async (context) => {
    const name = functionIn(context);
    return context.json(shown(await deployer.unquarantine(name)));
  });

  return routes;
}

function liveFunction(functions: Pick<FunctionStore, "live">, name: string): Deployment {
  const found = functions.live(name);
  if (found === null) throw new HostError("function_not_found", `No function "${plainName(name)}"`);
  return found;
}
