// What the two peers on workerd share: its program, and a server on a configuration of one worker. The
// configuration is text in Cap'n Proto's language, beside copies of the files that it embeds.

import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Server } from "../../servers.ts";
import type { Missing } from "../peer.ts";
import { packageProgram, programVersion, serversFolder, startOnPort } from "../start.ts";

const packages = [
  "@cloudflare/workerd-linux-64",
  "@cloudflare/workerd-linux-arm64",
  "@cloudflare/workerd-darwin-64",
  "@cloudflare/workerd-darwin-arm64",
];

export type WorkerdModule = {
  readonly name: string;
  readonly kind: "esModule" | "text" | "wasm";
  readonly file: string;
};

export async function findWorkerd(): Promise<{ program: string; version: string } | Missing> {
  const program = await packageProgram(packages, "bin/workerd");
  return typeof program === "string" ? { program, version: await programVersion(program) } : program;
}

export const serverModule = (name: string): WorkerdModule => ({
  name,
  kind: "esModule",
  file: join(serversFolder, name),
});

/** Starts one worker; the first module is its main one. `extra` goes into the lists of the configuration. */
export async function startWorkerd(
  program: string,
  folder: string,
  modules: readonly WorkerdModule[],
  extra: { readonly services: string; readonly worker: string },
): Promise<Server> {
  await mkdir(folder);
  const embedded = await Promise.all(
    modules.map(async ({ name, kind, file }, index) => {
      await cp(file, join(folder, `embedded-${index}`));
      return `(name = "${name}", ${kind} = embed "embedded-${index}")`;
    }),
  );
  const config = join(folder, "config.capnp");
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), ${extra.services}],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ["experimental"],
  modules = [${embedded.join(", ")}],
  ${extra.worker}
);
`,
  );
  return startOnPort(program, (port) => [
    "serve",
    "--experimental",
    "--socket-addr",
    `http=127.0.0.1:${port}`,
    config,
  ]);
}
