// Mayfly as `mayfly serve` runs it. Twice: with functions deployed on the running host, which compiles at
// the deploy; and restarted with the functions on disk, so that a first call reads, rewrites and compiles.

import { join } from "node:path";
import { deployCopies, type Server, serve, storeCopies } from "../../servers.ts";
import type { FunctionFolder, Peer } from "../peer.ts";
import { packageVersion } from "../start.ts";

const root = join(import.meta.dirname, "../../..");
const version = async (): Promise<string> => `${await packageVersion(root)} on Node ${process.versions.node}`;

const common = {
  newPerCall: "instance",
  doesWithout: "",
} as const;

export const mayfly: Peer = {
  ...common,
  name: "Mayfly",
  firstCall: "finds the module compiled by the deploy; instantiates",
  measuresLater: true,
  find: async () => ({
    version: await version(),
    start: async ({ path, count, wasm }: FunctionFolder): Promise<Server> => {
      const server = await serve(join(path, "mayfly"));
      await deployCopies(server, wasm, 0, count);
      return server;
    },
  }),
};

export const mayflyRestarted: Peer = {
  ...common,
  name: "Mayfly, restarted host",
  firstCall: "reads, checks, rewrites and compiles; instantiates",
  measuresLater: false,
  find: async () => ({
    version: await version(),
    start: async ({ path, count, wasm }: FunctionFolder): Promise<Server> => {
      const data = join(path, "mayfly-restarted");
      // The first start on a new engine tries and so compiles every function: it is to find none.
      const before = await serve(data);
      await before[Symbol.asyncDispose]();
      await storeCopies(data, wasm, 0, count);
      return serve(data);
    },
  }),
};
