// workerd with an instance for each call: the functions are modules of one worker.

import { join } from "node:path";
import { nameOf, type Peer } from "../peer.ts";
import { findWorkerd, serverModule, startWorkerd, type WorkerdModule } from "./workerd-program.ts";

export const workerdInstance: Peer = {
  name: "workerd, instance per request",
  newPerCall: "instance",
  firstCall: "compiles lazily a module that was bound at start; instantiates, as every call does",
  doesWithout: "has all functions in one isolate, and here no limit on time that could stop a guest",
  measuresLater: true,
  find: async () => {
    const found = await findWorkerd();
    if ("missing" in found) return found;
    return {
      version: found.version,
      start: ({ path, count }) => {
        const functions = Array.from(
          { length: count },
          (_, index): WorkerdModule => ({
            name: `${nameOf(index)}.wasm`,
            kind: "wasm",
            file: join(path, `${nameOf(index)}.wasm`),
          }),
        );
        const modules = ["workerd.js", "guest-abi.js", "web-response.js"].map(serverModule);
        return startWorkerd(found.program, join(path, "workerd"), [...modules, ...functions], {
          services: "",
          worker: "",
        });
      },
    };
  },
};
