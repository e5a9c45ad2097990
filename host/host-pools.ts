// The threads of the host that run guests, and the calls that need none, and what becomes of the process when one of
// them fails. Wired here for `main.ts`.

import { totalmem } from "node:os";
import type { Logger } from "pino";
import type { HostConfig } from "./config.ts";
import type { HostState } from "./host-state.ts";
import { InlineCalls, type InlineShare } from "./invoke/inline-calls.ts";
import { Pools, type PoolsOptions } from "./invoke/pools.ts";
import type { Scheduler } from "./invoke/scheduler.ts";

type OnFault = (error: unknown, requestId: string) => void;

/** The threads that run guests, and what the host does when one of them fails. */
export function startPools(
  config: HostConfig,
  {
    state,
    memoryBytesMax,
    log,
    onFault,
  }: { state: HostState; memoryBytesMax: number; log: Logger; onFault: OnFault },
  on: Pick<PoolsOptions, "onRoom" | "onEnded"> & { readonly onThreadLost: () => void },
): Pools {
  return new Pools({
    minThreads: config.minWorkers,
    maxThreads: config.maxWorkers,
    runningFile: state.runningFile,
    memoryBytesMax,
    onRoom: on.onRoom,
    onEnded: on.onEnded,
    onUnkillable: () => {
      log.fatal("A worker thread does not end: the host process ends itself and is replaced");
      process.kill(process.pid, "SIGKILL");
    },
    onUnstartable: () => {
      log.fatal("A worker thread cannot start: the host process ends itself and is replaced");
      state.expectEnd();
      process.kill(process.pid, "SIGKILL");
    },
    onFault: (error) => onFault(error, ""),
    onBackstop: () => {
      on.onThreadLost();
      log.warn("a guest did not stop when asked: its thread is ended");
    },
    onThreadLost: (error) => {
      on.onThreadLost();
      log.error({ err: error }, "a worker thread ended under a call");
    },
  });
}

/** Short calls on the main thread; null where all run on threads. */
export function inlineCalls(
  { threadsOnly }: Pick<HostConfig, "threadsOnly">,
  share: InlineShare,
  scheduler: Pick<Scheduler, "isSuspect">,
): InlineCalls | null {
  if (threadsOnly) return null;
  return InlineCalls.ofMainThread(share, (versionId) => scheduler.isSuspect(versionId));
}

/** Half of what the process may use: the other half is for what else calls hold, and for the system. */
export function guestMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return (constrained > 0 && constrained < total ? constrained : total) / 2;
}
