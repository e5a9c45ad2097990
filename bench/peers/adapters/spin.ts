// `spin up`, which makes an instance for each call. It serves components alone: component/hello-core.wat.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { helloComponent } from "../component/hello-component.ts";
import type { Peer } from "../peer.ts";
import { pathProgram, programVersion, startOnPort } from "../start.ts";

export const spin: Peer = {
  name: "spin up",
  newPerCall: "instance (another artefact: a component)",
  firstCall: "is like any other, since its one component is compiled at start",
  doesWithout: "has no time limit as it is started here, and runs machine code made by Cranelift",
  measuresLater: true,
  find: async () => {
    const program = await pathProgram("spin");
    if (typeof program !== "string") return program;
    return {
      version: await programVersion(program),
      start: async ({ path }) => {
        const folder = join(path, "spin");
        await mkdir(folder);
        await writeFile(join(folder, "hello.wasm"), helloComponent);
        const manifest = join(folder, "spin.toml");
        await writeFile(
          manifest,
          `spin_manifest_version = 2
[application]
name = "hello"
version = "1.0.0"
[[trigger.http]]
route = "/..."
component = "hello"
[component.hello]
source = "hello.wasm"
`,
        );
        return startOnPort(program, (port) => ["up", "--from", manifest, "--listen", `127.0.0.1:${port}`]);
      },
    };
  },
};
