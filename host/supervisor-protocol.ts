// What supervisor and host process say to each other, and the exit codes that mean something.

import type { Inspection } from "./deploy/inspection-request.ts";

export type FromHost =
  | { readonly kind: "beat"; readonly rssBytes: number }
  | { readonly kind: "listening"; readonly url: string; readonly localUrl: string }
  /** Make a path in the data folder durable: Node's permission model keeps the host from it. */
  | { readonly kind: "sync"; readonly id: number; readonly path: string }
  /** Have an upload inspected: the host may start no process (deploy/inspection-request.ts). */
  | { readonly kind: "inspect"; readonly id: number };

export type ToHost =
  | { readonly kind: "drain" }
  | { readonly kind: "synced"; readonly id: number; readonly error: string | null }
  | { readonly kind: "inspected"; readonly id: number; readonly inspection: Inspection };

/** Environment variable in which the host process finds its configuration, as JSON. */
export const hostConfigVariable = "MAYFLY_INTERNAL_CONFIG";

/** The listening socket's descriptor in the host process: after stdin, stdout, stderr and IPC. */
export const inheritedSocketFd = 4;

export const hostExit = {
  failed: 1,
  /** The data folder cannot be used: starting again would not help. */
  dataFolder: 3,
  supervisorGone: 4,
} as const;
