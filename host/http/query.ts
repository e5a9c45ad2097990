// Reads the query of a request to the control plane by a schema.

import type { Context } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import type { ControlEnv } from "./app.ts";

/** Throws `bad_request` that names every fault. */
export function readQuery<value>(context: Context<ControlEnv>, schema: z.ZodType<value>): value {
  const query = schema.safeParse(context.req.query());
  if (query.success) return query.data;
  throw new HostError("bad_request", `Cannot read the query: ${z.prettifyError(query.error)}`);
}
