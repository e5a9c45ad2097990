// The one interface of a peer: who it is, whether it is on this machine, and how it is started on a folder
// of functions. Each file of adapters/ is one; measure.ts knows nothing else of them.

import type { Server } from "../servers.ts";

export type Peer = {
  readonly name: string;
  /** What each call gets that no other call had; null: calls share an instance, nothing is isolated. */
  readonly newPerCall: string | null;
  /** What the first call of a function includes here: the rest of a sentence. */
  readonly firstCall: string;
  /** What a call does without here that it has in Mayfly, which is why one may be faster: a clause. */
  readonly doesWithout: string;
  /** `false` where only first calls are of interest, since the rest is another row's. */
  readonly measuresLater: boolean;
  find(): Promise<Installed | Missing>;
};

export type Installed = {
  readonly version: string;
  /**
   * Starts it on the functions `hello-0.wasm`, `hello-1.wasm`, … of a folder, none of which has been called
   * when it returns. Each answers GET `/fn/hello-N?name=NAME` under the server's URL with the greeting.
   */
  start(functions: FunctionFolder): Promise<Server>;
};

/** Why it cannot be measured here: a clause. */
export type Missing = { readonly missing: string };

export type FunctionFolder = {
  /** Absolute path. */
  readonly path: string;
  readonly count: number;
  /** The module without the data byte in which its copies differ. */
  readonly wasm: Uint8Array;
};

export const nameOf = (index: number): string => `hello-${index}`;
