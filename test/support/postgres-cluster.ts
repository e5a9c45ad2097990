// A PostgreSQL server of a test's own, made of the installed binaries: in a temporary folder, on a free port,
// with the settings of a server that is used for logical replication, and durable as PostgreSQL is by default.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

/** Where Debian's packages put the programs of each version. */
const packaged = "/usr/lib/postgresql/*/bin";
/** Names another folder of programs. */
const folderVariable = "MAYFLY_TEST_POSTGRES";
const startMsMax = 60_000;
const password = "s3cret-of-the-owner";

/** The folder of PostgreSQL's programs, or null where it is not installed. */
export function postgresPrograms(): string | null {
  const folders = globSync(process.env[folderVariable] ?? packaged).sort(
    (one, other) => Number(/\d+/.exec(other)?.[0] ?? 0) - Number(/\d+/.exec(one)?.[0] ?? 0),
  );
  return folders.find((folder) => existsSync(join(folder, "postgres"))) ?? null;
}

/** What a test says that is skipped for want of it; false where PostgreSQL is installed. */
export const skipWithoutPostgres: string | false =
  postgresPrograms() === null
    ? "PostgreSQL is not installed: apt-get install postgresql (Debian), or name the folder of its programs in MAYFLY_TEST_POSTGRES"
    : false;

type Owner = { readonly uid: number; readonly gid: number };

export class PostgresCluster implements AsyncDisposable {
  readonly port: number;
  readonly password = password;
  readonly #programs: string;
  readonly #folder: string;
  readonly #owner: Owner | null;
  #server: ChildProcess | null = null;
  #output = "";
  readonly #kill = (): void => {
    this.#server?.kill("SIGKILL");
  };

  private constructor(programs: string, folder: string, owner: Owner | null, port: number) {
    this.#programs = programs;
    this.#folder = folder;
    this.#owner = owner;
    this.port = port;
    process.once("exit", this.#kill);
  }

  static async start(): Promise<PostgresCluster> {
    const programs = postgresPrograms();
    if (programs === null) throw new Error(String(skipWithoutPostgres));
    const folder = mkdtempSync(join(tmpdir(), "mayfly-postgres-"));
    const owner = unprivileged();
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, password);
    chmodSync(folder, 0o700);
    if (owner !== null) for (const path of [folder, passwordFile]) chownSync(path, owner.uid, owner.gid);
    execFileSync(
      join(programs, "initdb"),
      [
        ...["--pgdata", join(folder, "data"), "--username", "owner", "--pwfile", passwordFile],
        ...[
          "--auth",
          "scram-sha-256",
          "--encoding",
          "UTF8",
          "--locale",
          "C",
          "--no-sync",
          "--no-instructions",
        ],
      ],
      { cwd: folder, stdio: "pipe", ...owner },
    );
    const cluster = new PostgresCluster(programs, folder, owner, await freePort());
    await cluster.resume();
    return cluster;
  }

  /** As a trigger's URL. */
  url(
    options: { readonly user?: string; readonly password?: string; readonly database?: string } = {},
  ): string {
    const { user = "owner", password: secret = password, database = "postgres" } = options;
    return `postgres://${user}:${secret}@127.0.0.1:${this.port}/${database}`;
  }

  /** Kills the server and everything that it has started. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const exit = once(server, "exit");
    server.kill("SIGKILL");
    await exit;
  }

  /** Ends it as an operator would who is in no hurry for its clients. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const exit = once(server, "exit");
    server.kill("SIGINT");
    await exit;
  }

  /** Starts it again; resolves when it takes connections. */
  async resume(): Promise<void> {
    const endMs = performance.now() + startMsMax;
    while (performance.now() < endMs) {
      const server = this.#spawn();
      while (server.exitCode === null && server.signalCode === null && performance.now() < endMs) {
        if (await this.#answers()) {
          this.#server = server;
          return;
        }
        await pause(20);
      }
      server.kill("SIGKILL");
      // What is left of one that was killed goes within moments.
      await pause(50);
    }
    throw new Error(`PostgreSQL does not start: ${this.#output}`);
  }

  /** Rows of statements on a connection of their own. */
  async query(text: string, values: readonly unknown[] = [], database = "postgres"): Promise<unknown[]> {
    const client = await this.client(database);
    try {
      return (await client.query(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async client(database = "postgres"): Promise<pg.Client> {
    const client = new pg.Client({
      ...{ host: "127.0.0.1", port: this.port, user: "owner", password, database, ssl: false },
    });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off("exit", this.#kill);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  #spawn(): ChildProcess {
    const settings = {
      listen_addresses: "127.0.0.1",
      port: this.port,
      unix_socket_directories: "",
      wal_level: "logical",
      max_wal_senders: 20,
      max_replication_slots: 20,
      shared_buffers: "16MB",
      wal_sender_timeout: "5s",
    };
    const server = spawn(
      join(this.#programs, "postgres"),
      [
        ...["-D", join(this.#folder, "data")],
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      ],
      { cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"], ...this.#owner },
    );
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#output = (this.#output + text).slice(-10_000);
    });
    return server;
  }

  async #answers(): Promise<boolean> {
    try {
      await (await this.client()).end();
      return true;
    } catch {
      return false;
    }
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // There is no such user.
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is no user postgres or nobody");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("No port");
  return address.port;
}
