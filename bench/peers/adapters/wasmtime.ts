// `wasmtime serve`, which makes an instance for each call. It serves components alone, so it cannot have
// the bytes that the others have: component/hello-core.wat greets as they do.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { helloComponent } from "../component/hello-component.ts";
import type { Peer } from "../peer.ts";
import { pathProgram, programVersion, startOnPort } from "../start.ts";

export const wasmtime: Peer = {
  name: "wasmtime serve",
  newPerCall: "instance (another artefact: a component)",
  firstCall: "is like any other, since its one component is compiled at start",
  doesWithout: "has no time limit as it is started here, and runs machine code made by Cranelift",
  measuresLater: true,
  find: async () => {
    const program = await pathProgram("wasmtime");
    if (typeof program !== "string") return program;
    return {
      version: await programVersion(program),
      start: async ({ path }) => {
        const file = join(path, "wasmtime.wasm");
        await writeFile(file, helloComponent);
        return startOnPort(program, (port) => ["serve", "--addr", `127.0.0.1:${port}`, file]);
      },
    };
  },
};
