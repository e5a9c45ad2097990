// A thread of Node for each call, by worker_threads.

import type { Peer } from "../peer.ts";
import { startNode } from "../start.ts";

export const threadPerCall: Peer = {
  name: "worker_threads per request",
  newPerCall: "thread",
  firstCall: "reads and compiles; starts a thread and instantiates, as every call does",
  doesWithout: "has no limit on time or memory",
  measuresLater: true,
  find: async () => ({
    version: `Node ${process.versions.node}`,
    start: ({ path }) => startNode("thread-per-call.js", path),
  }),
};
