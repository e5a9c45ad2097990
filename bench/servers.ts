// The servers under measurement, each in a process of its own: bare node:http and bare Hono answer
// the hello text from memory; Mayfly runs it in a fresh instance. Started with the same V8 flags.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compileFunction } from "../host/build/compile.ts";
import { limits } from "../host/limits.ts";
import { digestOf, FileArtifactStore } from "../host/store/files/artifact-store.ts";
import { openStores } from "../host/store/sqlite/stores.ts";
import { distinctCopy } from "../host/wasm/copies.ts";

export type Server = AsyncDisposable & { readonly url: string; readonly process: ChildProcess };

export const helloText = "Hello, Ada!";
const root = join(import.meta.dirname, "..");

const bareSources = {
  "node:http": `
    import { createServer } from "node:http";
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/plain; charset=utf-8");
      response.end("${helloText}");
    });
    server.listen(0, "127.0.0.1", () => console.log("listening on http://127.0.0.1:" + server.address().port + "/"));`,
  "node:http, sleeping": `
    import { createServer } from "node:http";
    const server = createServer((request, response) => setTimeout(() => response.end("done"), 1000));
    server.listen(0, "127.0.0.1", () => console.log("listening on http://127.0.0.1:" + server.address().port + "/"));`,
  Hono: `
    import { serve } from "@hono/node-server";
    import { Hono } from "hono";
    const app = new Hono();
    app.get("/", (context) => context.text("${helloText}"));
    serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
      console.log("listening on http://127.0.0.1:" + port + "/"));`,
};

export type BareServer = keyof typeof bareSources;

export async function startBare(kind: BareServer): Promise<Server> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", bareSources[kind]], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return listening(child);
}

/** A host on this data folder. */
export function serve(data: string, flags: readonly string[] = []): Promise<Server> {
  const child = spawn(
    process.execPath,
    [join(root, "host/cli/main.ts"), "serve", "--port", "0", "--data", data, ...flags],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return listening(child);
}

/** A host with `copies` deployments of hello, named hello-0, hello-1, … */
export async function startMayfly(copies: number, flags: readonly string[] = []): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
  const server = await serve(data, flags);
  const wasm = await helloModule();
  await deployCopies(server, wasm, 0, copies);
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Deploys hello-FIRST to hello-(END - 1), as many at a time as a host takes at once. */
export async function deployCopies(
  server: Server,
  wasm: Uint8Array,
  first: number,
  end: number,
): Promise<void> {
  let next = first;
  const deployer = async (): Promise<void> => {
    while (next < end) {
      const copy = next;
      next += 1;
      await upload(server, `hello-${copy}`, distinctCopy(wasm, copy));
    }
  };
  await Promise.all(Array.from({ length: limits.deploysAtOnceMax }, deployer));
}

/**
 * Stores hello-FIRST to hello-(END - 1) in the data folder of a host that does not run, as a deploy would
 * without trying them: thousands of deploys take a process each.
 */
export async function storeCopies(data: string, wasm: Uint8Array, first: number, end: number): Promise<void> {
  const { functions, close } = await openStores(join(data, "mayfly.db"), (error) => {
    throw error;
  });
  const artifacts = await FileArtifactStore.open(join(data, "modules"), async () => {});
  let next = first;
  const storer = async (): Promise<void> => {
    while (next < end) {
      const copy = next;
      next += 1;
      const bytes = distinctCopy(wasm, copy);
      const digest = digestOf(bytes);
      await artifacts.put(digest, bytes);
      await functions.deploy({
        name: `hello-${copy}`,
        digest,
        abi: "assemblyscript",
        bytes: bytes.byteLength,
        metered: true,
        files: null,
        freshCosts: { newUs: 20, resetUs: 2 },
        createdAtMs: Date.now(),
      });
    }
  };
  await Promise.all(Array.from({ length: 64 }, storer));
  await close();
}

export function helloModule(): Promise<Uint8Array> {
  return compileFunction({ file: join(root, "guest/examples/hello/index.ts") }).then(({ wasm }) => wasm);
}

/** Replaces a function's configuration. */
export async function configure(server: Server, name: string, config: object): Promise<void> {
  const path = `${server.url}/v1/functions/${name}/config`;
  const answer = await fetch(path, { method: "PUT", body: JSON.stringify(config) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** The value of a gauge of the host. */
export async function gauge(server: Server, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1];
  if (value === undefined) throw new Error(`No metric ${name}`);
  return Number(value);
}

/** The host process under a supervisor. Linux alone: it is read from /proc. */
export function hostPid({ process: { pid } }: Server): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
  const host = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, "utf8").includes("host-process"),
  );
  if (host === undefined) throw new Error(`Process ${pid} has no host`);
  return host;
}

/** Compiles a function of AssemblyScript and deploys it with this configuration. */
export async function deploy(server: Server, name: string, source: string, config: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-bench-"));
  const file = join(folder, "index.ts");
  await writeFile(file, source);
  const { wasm } = await compileFunction({ file });
  await rm(folder, { recursive: true });
  await configure(server, name, config);
  await upload(server, name, wasm);
}

export async function upload(server: Server, name: string, wasm: Uint8Array): Promise<void> {
  const answer = await fetch(`${server.url}/v1/functions/${name}`, {
    method: "PUT",
    body: new Blob([new Uint8Array(wasm)]),
    headers: { "content-type": "application/wasm" },
  });
  if (!answer.ok) throw new Error(`deploy of ${name}: ${answer.status} ${await answer.text()}`);
}

/** Waits until a process prints `listening on http://…`. */
export async function listening(child: ChildProcess): Promise<Server> {
  if (child.stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, "exit").then(() => {
    throw new Error("The server ended before it listened");
  });
  for (;;) {
    const [line] = (await Promise.race([once(lines, "line"), exited])) as [string];
    const [, url] = /listening on (http:\S+)/.exec(line) ?? [];
    if (url === undefined) continue;
    exited.catch(() => {});
    return serverOf(child, url);
  }
}

/** A process as a server: disposing of it asks it to end, and waits until it has. */
export function serverOf(child: ChildProcess, url: string): Server {
  return {
    url,
    process: child,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
