// A process of Node for each call, by child_process.

import type { Peer } from "../peer.ts";
import { startNode } from "../start.ts";

export const processPerCall: Peer = {
  name: "process per request",
  newPerCall: "process",
  firstCall: "starts a process, reads, compiles and instantiates, as every call does",
  doesWithout: "has no limit on time or memory",
  measuresLater: true,
  find: async () => ({
    version: `Node ${process.versions.node}`,
    start: ({ path }) => startNode("process-per-call.js", path),
  }),
};
