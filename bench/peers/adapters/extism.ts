// Extism's JavaScript SDK, a plugin for each call.

import { join } from "node:path";
import type { Peer } from "../peer.ts";
import { packageVersion, startNode } from "../start.ts";

const folder = join(import.meta.dirname, "../node_modules/@extism/extism");

export const extism: Peer = {
  name: "Extism JS, plugin per request",
  newPerCall: "plugin (kernel and instance)",
  firstCall: "reads and compiles; makes a plugin, as every call does",
  doesWithout: "has no limit on time as it is used here, and nothing that could stop a guest",
  measuresLater: true,
  find: async () => {
    const version = await packageVersion(folder);
    if (version === null) return { missing: "the package @extism/extism is not installed" };
    return {
      version: `${version} on Node ${process.versions.node}`,
      start: ({ path }) => startNode("extism.js", path),
    };
  },
};
