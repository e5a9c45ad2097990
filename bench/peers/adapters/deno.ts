// Deno's server, an instance for each call.

import { join } from "node:path";
import type { Peer } from "../peer.ts";
import { packageProgram, programVersion, serversFolder, startPrinting } from "../start.ts";

const packages = [
  "@deno/linux-x64-glibc",
  "@deno/linux-arm64-glibc",
  "@deno/darwin-x64",
  "@deno/darwin-arm64",
];

export const deno: Peer = {
  name: "Deno, instance per request",
  newPerCall: "instance",
  firstCall: "reads and compiles; instantiates, as every call does",
  doesWithout: "has no limit on time or memory, and nothing that could stop a guest",
  measuresLater: true,
  find: async () => {
    const program = await packageProgram(packages, "deno");
    if (typeof program !== "string") return program;
    const flags = ["run", "--no-config", "--no-lock", "--no-remote", "--allow-net=127.0.0.1", "--allow-read"];
    return {
      version: await programVersion(program),
      start: ({ path }) =>
        startPrinting(program, [...flags, join(serversFolder, "deno.js"), path], {
          DENO_NO_UPDATE_CHECK: "1",
          DENO_DIR: join(path, "deno"),
        }),
    };
  },
};
