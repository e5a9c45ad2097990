// The host process under its supervisor: starts the host on the inherited socket, beats, and drains
// when told. Signals are the supervisor's to judge; when it is gone, this process ends.

import { flushCompileCache } from "node:module";
import type { HostConfig } from "./config.ts";
import { type Inspection, RequestedInspections } from "./deploy/inspection-request.ts";
import { assertEngineFlags } from "./engine-flags.ts";
import { DataFolderError } from "./host-state.ts";
import { limits } from "./limits.ts";
import { type Host, start } from "./main.ts";
import type { SyncPath } from "./store/sync.ts";
import {
  type FromHost,
  hostConfigVariable,
  hostExit,
  inheritedSocketFd,
  type ToHost,
} from "./supervisor-protocol.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const config: HostConfig = JSON.parse(process.env[hostConfigVariable] ?? "");
// Threads and child processes have no business with it.
delete process.env[hostConfigVariable];
assertEngineFlags(config.allowUnmetered);

const tell = (message: FromHost): void => {
  if (process.connected) process.send?.(message);
};
const beat = setInterval(
  () => tell({ kind: "beat", rssBytes: process.memoryUsage.rss() }),
  limits.heartbeatMs,
);

let host: Host | null = null;
let drainAsked = false;

process.once("disconnect", () => {
  host?.expectEnd();
  process.exit(hostExit.supervisorGone);
});

type Waiting = { resolve(): void; reject(error: Error): void };
const syncs = new Map<number, Waiting>();
let syncsAsked = 0;
const inspections = new Map<number, (inspection: Inspection) => void>();

/** Asks the supervisor: fsync is not to be had under the permission model. */
const sync: SyncPath = (path) =>
  new Promise((resolve, reject) => {
    syncsAsked += 1;
    syncs.set(syncsAsked, { resolve, reject });
    tell({ kind: "sync", id: syncsAsked, path });
  });

const inspect = (id: number): Promise<Inspection> =>
  new Promise((resolve) => {
    inspections.set(id, resolve);
    tell({ kind: "inspect", id });
  });

process.on("message", (message: ToHost) => {
  if (message.kind === "drain") {
    drainAsked = true;
    if (host !== null) drain(host);
    return;
  }
  if (message.kind === "inspected") {
    inspections.get(message.id)?.(message.inspection);
    inspections.delete(message.id);
    return;
  }
  const waiting = syncs.get(message.id);
  syncs.delete(message.id);
  if (message.error === null) waiting?.resolve();
  else waiting?.reject(new Error(`Cannot make a file durable: ${message.error}`));
});

function drain(running: Host): void {
  running.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(
        `The host did not stop cleanly: ${error instanceof Error ? error.stack : error}\n`,
      );
      process.exit(hostExit.failed);
    },
  );
}

try {
  host = await start(config, {
    listenFd: inheritedSocketFd,
    sync,
    openInspectors: () => RequestedInspections.open(config.dataDir, inspect),
  });
  // It may have been asked while it started.
  if (drainAsked) drain(host);
  else tell({ kind: "listening", url: host.url, localUrl: host.localUrl });
  // Else only at a clean end, and the next start may follow a kill.
  flushCompileCache();
} catch (error) {
  clearInterval(beat);
  if (error instanceof DataFolderError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(hostExit.dataFolder);
  }
  process.stderr.write(`The host cannot start: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(hostExit.failed);
}
