// /v1/functions/{name}/module and /files: the bytes of a version as they were uploaded and the files that it
// carries, for `mayfly bench`, which deploys copies of a function that it did not build.

import { type Context, Hono } from "hono";
import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { plainName } from "../namespace.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { ControlEnv } from "./app.ts";
import { functionIn } from "./request-access.ts";

export type ModuleRouteParts = {
  readonly functions: Pick<FunctionStore, "live" | "at">;
  readonly artifacts: Pick<ArtifactStore, "read">;
};

export function moduleRoutes({ functions, artifacts }: ModuleRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const asked = (context: Context<ControlEnv>): Deployment => {
    const name = functionIn(context);
    const version = readVersion(context.req.query("version"));
    const found = version === null ? functions.live(name) : functions.at(name, version);
    if (found !== null) return found;
    const shown = plainName(name);
    const which = version === null ? `function "${shown}"` : `version ${version} of "${shown}"`;
    throw new HostError("function_not_found", `No ${which}`);
  };
  routes.get("/:name/module", async (context) => {
    const { digest } = asked(context);
    return context.body(await artifacts.read(digest), 200, { "content-type": "application/wasm" });
  });
  routes.get("/:name/files", async (context) => {
    const { files } = asked(context);
    if (files === null) return context.body(null, 204);
    return context.body(await artifacts.read(files.digest), 200, {
      "content-type": "application/octet-stream",
    });
  });
  return routes;
}

/** Null for the live one. */
function readVersion(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  const found = JSON.stringify(text.slice(0, 80));
  throw new HostError("bad_request", `The version is ${found}, want a number from 1`);
}
