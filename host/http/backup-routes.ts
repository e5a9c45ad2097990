// POST /v1/backup: everything that the host keeps, as one archive, while it runs.

import { Hono } from "hono";
import type { Backups } from "../backup/backups.ts";
import type { ControlEnv } from "./app.ts";

export type BackupRouteParts = { readonly backups: Pick<Backups, "begin"> };

export function backupRoutes({ backups }: BackupRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.post("/", async (context) => {
    const archive = await backups.begin();
    return context.body(archive, 200, { "content-type": "application/x-tar" });
  });
  return routes;
}
