// What the pool and a worker thread share: the messages between them and the cells of shared memory by
// which both sides know which calls have begun and whether the thread lives. No behaviour beyond the
// cells' arrows.

import type { MessagePort } from "node:worker_threads";
import type { ModuleAbi } from "../function.ts";
import type { CallResult, ErrandKind, ErrandReply, LogLevel } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { ComponentCode } from "./component-instance.ts";

/**
 * A call's claim, one cell each, drawn once:
 *
 *   free -> posted (pool posts it) -> begun (the worker starts it) -> free (answered)
 *                                  -> revoked (the pool takes it back) -> free (the worker saw it)
 *                          begun   -> stopping (the pool wants it to end) -> free (answered)
 *
 * All arrows out of `posted` and `begun` that a side does not own alone are compare-and-exchange, so a
 * call either begins or is taken back.
 */
export const claim = { free: 0, posted: 1, begun: 2, revoked: 3, stopping: 4 } as const;

/** Whether a claim is that of a call which has begun and not been answered. */
export function isRunning(cell: number): boolean {
  return cell === claim.begun || cell === claim.stopping;
}

/** Most threads that may run guests at once, the main one too; each holds one cell and one record of what it runs. */
export const threadSlotsMax = 1 + limits.workersMax + limits.ownPoolsMax * limits.ownThreadsMax;

/** The main thread's id in its slot: 0 is that of a slot that nobody has. */
export const mainThreadId = -1;

export type WorkerData = {
  /** Int32 cells, one per posted call. */
  readonly claims: SharedArrayBuffer;
  /** Int32 cells, one per thread: its threadId, or 0. */
  readonly threadSlots: SharedArrayBuffer;
  /** File in which each thread keeps the id of the version it runs, eight bytes a slot; "" = none. */
  readonly runningFile: string;
  /** One Int32 cell: pages of 64 KiB that live calls hold. */
  readonly heldPages: SharedArrayBuffer;
  readonly heldPagesMax: number;
  /** Where short messages lie (mailbox.ts). */
  readonly mail: SharedArrayBuffer;
};

/** The one task that Piscina gives a thread: to take calls from a port until it is told to end. */
export type ThreadTask = {
  readonly port: MessagePort;
  /** Int32 cells, `threadCell`. */
  readonly cells: SharedArrayBuffer;
};

/** Cells of one thread: one that changes while it is alive, and the pages that its live calls hold. */
export const threadCell = { heartbeat: 0, heldPages: 1 } as const;
export const threadCellsBytes = 8;

/** A compiled module and the ABI it speaks, or a component. */
export type GuestCode = { readonly module: WebAssembly.Module; readonly abi: ModuleAbi } | ComponentCode;

/** What a thread needs once per deployment. */
export type ModuleSetup = {
  readonly versionId: number;
  /** CPU time a guest may use, ms. */
  readonly cpuMs: number;
  readonly code: GuestCode;
  /** Size of the bytes of what is compiled. */
  readonly moduleBytes: number;
  /** Null when the host supplies none: the module is not metered and has its own. */
  readonly memory: MemoryBounds | null;
  readonly instances: InstanceUse;
  /** In place of `reuse`, once a version has turned out not to take a second call of an instance. */
  readonly singleInstances: "new" | "reset";
  readonly env: readonly (readonly [string, string])[];
  readonly secrets: readonly (readonly [string, string])[];
  /** The name it is called by, then the configured ones. */
  readonly args: readonly string[];
  /** The files that the version carries, in their stored form. */
  readonly files: Uint8Array<SharedArrayBuffer> | null;
};

/**
 * What becomes of an instance that has answered: it is thrown away (`new`), set back to what its start
 * left, unless that made host calls (`reset`) or even if it did (`snapshot`), or runs the next call as the
 * last one left it (`reuse`).
 */
export type InstanceUse = "new" | "reset" | "snapshot" | "reuse";

/** Bounds of the memory that the host supplies, in pages of 64 KiB. */
export type MemoryBounds = { readonly initialPages: number; readonly maximumPages: number };

/** Names one set-up: a version and a revision of its configuration (`setupKey`). */
export type SetupKey = number;

/** A version's number and a revision's as one that is exact: the latter counts to a million, then anew. */
export function setupKey(versionId: number, configRevision: number): SetupKey {
  return versionId * 2 ** 20 + (configRevision % 2 ** 20);
}

/** A call whose message is too long for a box, or found none free. */
export type CallTask = {
  readonly slot: number;
  readonly key: SetupKey;
  /** Large ones lie in shared memory, so that posting copies nothing. */
  readonly message: Uint8Array;
  /** Whether its body comes when its guest asks for it. */
  readonly bodyComes: boolean;
};

export type ToThread =
  | {
      readonly kind: "calls";
      /** Set-ups that the thread has not had. */
      readonly setups: readonly (readonly [SetupKey, ModuleSetup])[];
      /** In the order they came; a number is that of the box in which the call lies. */
      readonly calls: readonly (CallTask | number)[];
    }
  /** The claim of this call has become `stopping`; it may be waiting and not look at it. */
  | { readonly kind: "stop"; readonly slot: number }
  /** So many bytes of this call's answer have been taken; a buffer that has been emptied comes back. */
  | {
      readonly kind: "taken";
      readonly slot: number;
      readonly bytes: number;
      readonly buffer: ArrayBuffer | null;
    }
  /** Further bytes of this call's request; null is their end. */
  | { readonly kind: "body"; readonly slot: number; readonly chunk: Uint8Array<ArrayBuffer> | null }
  /** What came of the errand of this call's guest. */
  | { readonly kind: "replied"; readonly slot: number; readonly reply: ErrandReply }
  /** Take no more; sent to a thread that has nothing to do. */
  | { readonly kind: "end" };

/** News of one call's bodies, sent while it runs. */
export type StreamNews =
  /** Its answer has begun: a response message without a body. */
  | {
      readonly kind: "head";
      readonly slot: number;
      readonly message: Uint8Array<ArrayBuffer>;
      readonly begunAtMs: number;
      readonly instantiateMs: number;
    }
  /** Further bytes of its answer; a `taken` says when they have been. */
  | { readonly kind: "chunk"; readonly slot: number; readonly chunk: Uint8Array<ArrayBuffer> }
  /** Its guest wants the body of the request. */
  | { readonly kind: "pull"; readonly slot: number }
  /** Its guest has read so many bytes of it; a buffer that has been emptied comes back. */
  | {
      readonly kind: "read";
      readonly slot: number;
      readonly bytes: number;
      readonly buffer: ArrayBuffer | null;
    };

export type CallAnswer = CallResult & { readonly slot: number };

export type FromThread =
  | { readonly kind: "ready"; readonly threadId: number }
  /** A log line of one call, sent while it runs so that it outlives a thread that is ended. */
  | { readonly kind: "line"; readonly slot: number; readonly line: GuestLine }
  | StreamNews
  | {
      readonly kind: "news";
      readonly answers: readonly CallAnswer[];
      /** Boxes in which an answer lies. */
      readonly boxes: readonly number[];
      /** Slots of calls that have begun to wait for a host call, and of those that wait no more, in turn. */
      readonly waits: readonly WaitNews[];
      /** What guests want done; each waits for a `replied`, or to be stopped. */
      readonly errands: readonly ErrandNews[];
    };

export type GuestLine = readonly [timeMs: number, level: LogLevel, message: string];
export type WaitNews = { readonly slot: number; readonly waiting: boolean };
export type ErrandNews = {
  readonly slot: number;
  readonly errand: ErrandKind;
  readonly message: Uint8Array<ArrayBuffer>;
};
