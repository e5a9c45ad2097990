// /v1/functions/{name}/module: the bytes of a version as they were uploaded, for `mayfly bench`, which
// deploys copies of a function that it did not build.

import { Hono } from "hono";
import { HostError } from "../errors.ts";
import { functionName } from "../function.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { ControlEnv } from "./app.ts";

export type ModuleRouteParts = {
  readonly functions: Pick<FunctionStore, "live" | "at">;
  readonly artifacts: Pick<ArtifactStore, "read">;
};

export function moduleRoutes({ functions, artifacts }: ModuleRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.get("/:name/module", async (context) => {
    const name = functionName(context.req.param("name"));
    const version = readVersion(context.req.query("version"));
    const found = version === null ? functions.live(name) : functions.at(name, version);
    if (found === null) {
      const which = version === null ? `function "${name}"` : `version ${version} of "${name}"`;
      throw new HostError("function_not_found", `No ${which}`);
    }
    const bytes = await artifacts.read(found.digest);
    return context.body(bytes, 200, { "content-type": "application/wasm" });
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
