// Bare node:http with one instance for all calls: the price of HTTP and of the guest alone.

import type { Peer } from "../peer.ts";
import { startNode } from "../start.ts";

export const nodeHttp: Peer = {
  name: "bare node:http",
  newPerCall: null,
  firstCall: "reads, compiles and instantiates",
  doesWithout: "isolates nothing",
  measuresLater: true,
  find: async () => ({
    version: `Node ${process.versions.node}`,
    start: ({ path }) => startNode("node-http.js", path),
  }),
};
