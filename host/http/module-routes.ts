// /v1/functions/{name}/module and /files: the bytes of a version as they were uploaded and the files that it
// carries, for `mayfly bench`, which deploys copies of a function that it did not build.

import { Hono } from "hono";
import { HostError } from "../errors.ts";
import { type Deployment, functionName } from "../function.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { ControlEnv } from "./app.ts";

export type ModuleRouteParts = {
  readonly functions: Pick<FunctionStore, "live" | "at">;
  readonly artifacts: Pick<ArtifactStore, "read">;
};

export function moduleRoutes({ functions, artifacts }: ModuleRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  const asked = (text: string, versionText: string | undefined): Deployment => {
    const name = functionName(text);
    const version = readVersion(versionText);
    const found = version === null ? functions.live(name) : functions.at(name, version);
    if (found !== null) return found;
    const which = version === null ? `function "${name}"` : `version ${version} of "${name}"`;
    throw new HostError("function_not_found", `No ${which}`);
  };
  routes.get("/:name/module", async (context) => {
    const { digest } = asked(context.req.param("name"), context.req.query("version"));
    return context.body(await artifacts.read(digest), 200, { "content-type": "application/wasm" });
  });
  routes.get("/:name/files", async (context) => {
    const { files } = asked(context.req.param("name"), context.req.query("version"));
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
