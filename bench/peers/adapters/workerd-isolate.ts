// workerd with a new dynamic isolate for each function, by `workerLoader`, and in it an instance for each
// call.

import { join } from "node:path";
import type { Peer } from "../peer.ts";
import { findWorkerd, serverModule, startWorkerd, type WorkerdModule } from "./workerd-program.ts";

const text = (name: string): WorkerdModule => ({
  ...serverModule(`${name}.js`),
  name: `${name}.txt`,
  kind: "text",
});

export const workerdIsolate: Peer = {
  name: "workerd, dynamic isolate per function",
  newPerCall: "instance, in the function's isolate",
  firstCall: "reads the module, loads an isolate, compiles and instantiates",
  doesWithout: "has here no limit on time that could stop a guest",
  measuresLater: true,
  find: async () => {
    const found = await findWorkerd();
    if ("missing" in found) return found;
    return {
      version: found.version,
      start: ({ path }) =>
        startWorkerd(
          found.program,
          join(path, "workerd-isolates"),
          [serverModule("workerd-loader.js"), ...["guest-abi", "web-response", "workerd-function"].map(text)],
          {
            services: `(name = "functions", disk = (path = ${JSON.stringify(path)}, writable = false))`,
            worker: `bindings = [(name = "functions", service = "functions"), (name = "loader", workerLoader = ())],`,
          },
        ),
    };
  },
};
