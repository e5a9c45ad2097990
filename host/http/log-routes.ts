// GET /v1/functions/{name}/logs: recent lines, or a stream of server-sent events.

import type { Socket } from "node:net";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { HostError } from "../errors.ts";
import type { LogLine } from "../invocation.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { LogStore } from "../observe/log-store.ts";
import type { ControlEnv } from "./app.ts";
import { functionIn } from "./request-access.ts";

export type LogRouteParts = {
  readonly functions: { live(name: string): object | null };
  readonly logs: Pick<LogStore, "read" | "follow">;
  /** A follower that takes nothing of a write for this long is cut off; `limits.writeStallTimeoutMs` unless given. */
  readonly writeStallTimeoutMs?: number;
};

const querySchema = z.strictObject({
  follow: z.enum(["0", "1", "true", "false"]).default("0"),
  lines: z.coerce.number().int().min(0).max(10_000).default(200),
});

/** A comment line this often keeps proxies from closing a quiet stream, and finds dead clients. */
const keepAliveMs = 15_000;

export function logRoutes(parts: LogRouteParts): Hono<ControlEnv> {
  const { writeStallTimeoutMs = limits.writeStallTimeoutMs } = parts;
  const routes = new Hono<ControlEnv>();
  routes.get("/:name/logs", async (context) => {
    const name = functionIn(context);
    if (parts.functions.live(name) === null)
      throw new HostError("function_not_found", `No function "${plainName(name)}"`);
    const query = querySchema.safeParse(context.req.query());
    if (!query.success)
      throw new HostError("bad_request", `Cannot read the query: ${z.prettifyError(query.error)}`);
    const { follow, lines } = query.data;
    if (follow === "0" || follow === "false") {
      return context.json({ lines: await parts.logs.read(name, lines) });
    }
    const socket = context.env.incoming?.socket;
    const written = (write: Promise<unknown>) => cutWhenStalled(socket, writeStallTimeoutMs, write);
    return streamSSE(context, async (stream) => {
      const queued: LogLine[] = [];
      let wake: (() => void) | null = null;
      const following = parts.logs.follow(name, (line) => {
        // A reader that is slower than the log loses the oldest lines, not the host its memory.
        if (queued.length >= 10_000) queued.shift();
        queued.push(line);
        wake?.();
      });
      if (following === null) {
        await written(stream.writeSSE({ event: "error", data: "too many followers" }));
        return;
      }
      using _following = following;
      stream.onAbort(() => wake?.());
      // Lines that came while the past was read may be in it already.
      const recent = (await parts.logs.read(name, lines)).map((line) => JSON.stringify(line));
      const known = new Set(recent);
      queued.splice(0, queued.length, ...queued.filter((line) => !known.has(JSON.stringify(line))));
      for (const data of recent) await written(stream.writeSSE({ data }));
      while (!stream.aborted && !stream.closed) {
        const line = queued.shift();
        if (line !== undefined) {
          await written(stream.writeSSE({ data: JSON.stringify(line) }));
          continue;
        }
        const timer = setTimeout(() => wake?.(), keepAliveMs);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        clearTimeout(timer);
        if (queued.length === 0 && !stream.aborted) await written(stream.write(": keep-alive\n\n"));
      }
    });
  });
  return routes;
}

/**
 * Resolves with `write`. A reader that is slow is waited for, one that stands still loses its
 * connection, which ends the write: the socket's own timer starts again with every byte that leaves.
 */
async function cutWhenStalled(
  socket: Socket | undefined,
  stallTimeoutMs: number,
  write: Promise<unknown>,
): Promise<void> {
  const cut = (): void => void socket?.destroy();
  socket?.setTimeout(stallTimeoutMs, cut);
  await write;
  socket?.setTimeout(0, cut);
}
