// Every peer, in the order of the tables: Mayfly, what isolates nothing, then what isolates each call.

import { bun } from "./adapters/bun.ts";
import { deno } from "./adapters/deno.ts";
import { extism } from "./adapters/extism.ts";
import { hono } from "./adapters/hono.ts";
import { mayfly, mayflyRestarted } from "./adapters/mayfly.ts";
import { nodeHttp } from "./adapters/node-http.ts";
import { processPerCall } from "./adapters/process-per-call.ts";
import { spin } from "./adapters/spin.ts";
import { threadPerCall } from "./adapters/thread-per-call.ts";
import { wasmtime } from "./adapters/wasmtime.ts";
import { workerdInstance } from "./adapters/workerd-instance.ts";
import { workerdIsolate } from "./adapters/workerd-isolate.ts";
import type { Peer } from "./peer.ts";

export const peers: readonly Peer[] = [
  mayfly,
  mayflyRestarted,
  nodeHttp,
  hono,
  processPerCall,
  threadPerCall,
  extism,
  deno,
  bun,
  workerdInstance,
  workerdIsolate,
  wasmtime,
  spin,
];
