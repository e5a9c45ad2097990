// What the tests of triggers of kind `postgres` share: a server, a host with a function that keeps what it is
// told of, and how to look at a trigger.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import type { ShownReplication } from "../../host/replication.ts";
import { compiled } from "../support/compiled.ts";
import type { Answer } from "../support/http-client.ts";
import { PostgresCluster, skipWithoutPostgres } from "../support/postgres-cluster.ts";
import { TestHost, type TestHostOptions } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

export const functionFile = join(import.meta.dirname, "../guest/functions/changed.as.ts");

export let database: PostgresCluster;
export let host: TestHost;

/** Has the tests of a file share a server and a host. */
export function useDatabase(): void {
  if (skipWithoutPostgres !== false) return;
  before(async () => {
    database = await PostgresCluster.start();
    host = await startHost();
  });
  after(async () => {
    await host.close();
    await database[Symbol.asyncDispose]();
  });
}

export async function startHost(options: TestHostOptions = {}): Promise<TestHost> {
  const started = await TestHost.start(options);
  await started.deploy("changed", await compiled(functionFile));
  return started;
}

/** A host that ends and starts again with its data; it is ended whatever becomes of the test. */
export class OneHost implements AsyncDisposable {
  readonly #options: TestHostOptions;
  #dataDir: string | null = null;
  #host: TestHost | null = null;

  constructor(options: TestHostOptions = {}) {
    this.#options = options;
  }

  async start(): Promise<TestHost> {
    this.#host = await startHost({
      ...this.#options,
      ...(this.#dataDir !== null && { dataDir: this.#dataDir }),
    });
    this.#dataDir = this.#host.dataDir;
    return this.#host;
  }

  async stop(): Promise<void> {
    await this.#host?.close({ keepData: true });
    this.#host = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.close();
  }
}

export type Shown = ShownReplication & Record<string, unknown>;
export type Told = { readonly attributes: Record<string, string>; readonly data: Record<string, unknown> };

export const path = "/v1/functions/changed/triggers";
export const put = (name: string, settings: object, on = host): Promise<Answer> =>
  on.send("PUT", `${path}/${name}`, { kind: "postgres", url: database.url(), ...settings });
export const shown = async (name: string, on = host): Promise<Shown> =>
  (await on.ask("GET", `${path}/${name}`)).json() as Shown;
export const slots = async (): Promise<string[]> =>
  ((await database.query("SELECT slot_name FROM pg_replication_slots")) as { slot_name: string }[]).map(
    (row) => row.slot_name,
  );

/** Adds a trigger, waits until it streams, and removes it at the end. */
export async function trigger(name: string, settings: object): Promise<AsyncDisposable> {
  const { status, text } = await put(name, settings);
  assert.equal(status, 201, text);
  await connected(name);
  return {
    [Symbol.asyncDispose]: async () => {
      assert.equal((await host.ask("DELETE", `${path}/${name}`)).status, 204);
      for (const { id } of await listed(name)) await host.ask("DELETE", `/v1/events/${id}`);
    },
  };
}

export async function connected(name: string, on = host): Promise<void> {
  let state = "";
  await until(
    async () => {
      const now = (await shown(name, on)).state;
      state = JSON.stringify(now);
      return now.status === "connected";
    },
    30_000,
    () => state,
  );
}

export async function listed(name: string): Promise<{ readonly id: number }[]> {
  const answer = await host.ask("GET", `/v1/events?function=changed&trigger=${name}&limit=1000`);
  return (answer.json() as { events: { id: number }[] }).events;
}

/** What a paused trigger holds, once it is as many. */
export async function held(name: string, count: number): Promise<Told[]> {
  let events = await listed(name);
  await until(
    async () => {
      events = await listed(name);
      return events.length >= count;
    },
    20_000,
    () => `${events.length} of ${count}`,
  );
  assert.equal(events.length, count);
  return Promise.all(
    events.map(async ({ id }) => {
      const event = (await host.ask("GET", `/v1/events/${id}`)).json() as Told & { data_base64: string };
      return { ...event, data: JSON.parse(Buffer.from(event.data_base64, "base64").toString()) };
    }),
  );
}

export const count = async (key: string, on = host): Promise<number> => {
  const { status, text } = await on.ask("GET", `/v1/kv/changed/${encodeURIComponent(key)}`);
  return status === 200 ? Number(text) : 0;
};
