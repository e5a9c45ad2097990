// Bare Hono with one instance for all calls.

import { join } from "node:path";
import type { Peer } from "../peer.ts";
import { packageVersion, startNode } from "../start.ts";

const folder = join(import.meta.dirname, "../../../node_modules/hono");

export const hono: Peer = {
  name: "bare Hono",
  newPerCall: null,
  firstCall: "reads, compiles and instantiates",
  doesWithout: "isolates nothing",
  measuresLater: true,
  find: async () => ({
    version: `${await packageVersion(folder)} on Node ${process.versions.node}`,
    start: ({ path }) => startNode("hono.js", path),
  }),
};
