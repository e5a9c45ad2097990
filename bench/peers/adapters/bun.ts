// Bun's server, an instance for each call.

import { join } from "node:path";
import type { Peer } from "../peer.ts";
import { packageProgram, programVersion, serversFolder, startPrinting } from "../start.ts";

const packages = [
  "@oven/bun-linux-x64",
  "@oven/bun-linux-aarch64",
  "@oven/bun-darwin-x64",
  "@oven/bun-darwin-aarch64",
];

export const bun: Peer = {
  name: "Bun, instance per request",
  newPerCall: "instance",
  firstCall: "reads and compiles; instantiates, as every call does",
  doesWithout: "has no limit on time or memory, and nothing that could stop a guest",
  measuresLater: true,
  find: async () => {
    const program = await packageProgram(packages, "bin/bun");
    if (typeof program !== "string") return program;
    return {
      version: await programVersion(program),
      start: ({ path }) => startPrinting(program, ["run", join(serversFolder, "bun.js"), path]),
    };
  },
};
