// The host that is measured: one that --url names, or one that bench starts, restarts and stops itself.
// What is read of it (gauges, memory) is null where it does not tell.

import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { createClient, type HostClient } from "../client.ts";
import { type CommandContext, textOption } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { sendRequest } from "../http-request.ts";
import { type OwnHost, startOwnHost, temporaryFolder } from "./own-host.ts";
import { type HostMemory, readHostMemory } from "./process-memory.ts";

export type HostGauges = {
  readonly threads: number;
  /** Calls admitted and not answered. */
  readonly liveCalls: number;
  /** Of those, calls that wait for a thread. */
  readonly waitingCalls: number;
  readonly residentBytes: number;
};

export type HostUnderTest = {
  /** Whether bench has started it. */
  readonly own: boolean;
  readonly url: () => URL;
  readonly client: () => HostClient;
  /** How long each start took, ms; empty for a host that is not its own. */
  readonly startsMs: readonly number[];
  /** Stops its own host and starts it again on the same data, with these flags of `serve`. */
  readonly restart: (flags: readonly string[]) => Promise<void>;
  /** Null where the host does not show them to us. */
  readonly gauges: () => Promise<HostGauges | null>;
  readonly memory: () => Promise<HostMemory | null>;
  readonly close: () => Promise<void>;
};

/** Whether the user named a host. */
export function namesHost({ options, io }: CommandContext): boolean {
  return (textOption(options, "url") ?? io.env.MAYFLY_URL) !== undefined;
}

/** Throws CommandFailure where the host is not there, or does not let us in. */
export async function openHost(context: CommandContext): Promise<HostUnderTest> {
  return namesHost(context) ? givenHost(context) : startedHost(context);
}

async function givenHost(context: CommandContext): Promise<HostUnderTest> {
  const client = context.client();
  await client.check();
  const gauges = (): Promise<HostGauges | null> => readGauges(context.hostUrl(), context.token());
  return {
    own: false,
    url: context.hostUrl,
    client: () => client,
    startsMs: [],
    restart: () => Promise.reject(new Error("only a host of bench's own is restarted")),
    gauges,
    memory: async () => {
      const read = await gauges();
      return read && { hostBytes: read.residentBytes, allBytes: null, processes: null };
    },
    close: async () => {},
  };
}

async function startedHost({ io, output }: CommandContext): Promise<HostUnderTest> {
  output.progress("Starting a host ...");
  const folder = await temporaryFolder(io.env);
  const startsMs: number[] = [];
  const start = async (flags: readonly string[]): Promise<OwnHost> => {
    const started = await startOwnHost(folder.path, flags, io.env);
    startsMs.push(started.startMs);
    return started;
  };
  let host: OwnHost;
  // An interrupted run is closed while a restart may be under way: what that starts is to end too.
  let restarting: Promise<void> = Promise.resolve();
  try {
    host = await start([]);
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return {
    own: true,
    url: () => host.url,
    client: () => createClient(host.url, null),
    startsMs,
    restart: (flags) => {
      restarting = host.stop().then(async () => {
        host = await start(flags);
      });
      return restarting;
    },
    gauges: () => readGauges(host.url, null),
    memory: () => readHostMemory(host.pid),
    close: async () => {
      // Why it failed is said by who asked for it.
      await restarting.catch(() => {});
      await host.stop();
      await folder.remove();
    },
  };
}

async function readGauges(base: URL, token: string | null): Promise<HostGauges | null> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  let answer: IncomingMessage;
  try {
    answer = await sendRequest({ base, method: "GET", target: "/metrics", headers });
  } catch (error) {
    // The call that is measured meets the same fault, and says so.
    if (error instanceof CommandFailure) return null;
    throw error;
  }
  const page = await text(answer).catch(() => "");
  const value = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page)?.[1] ?? Number.NaN);
  const gauges = {
    threads: value("mayfly_threads"),
    liveCalls: value("mayfly_live_calls"),
    waitingCalls: value("mayfly_waiting_calls"),
    residentBytes: value("mayfly_resident_memory_bytes"),
  };
  return answer.statusCode === 200 && Number.isFinite(gauges.threads) ? gauges : null;
}
