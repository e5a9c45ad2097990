// All functions of WASI preview 1, by the name of their module. Each is there, so that a program which might
// use it can be deployed; what a sandbox has not, as sockets, answers that it is not supported.

import { call, type HostCalls } from "../host-call.ts";
import { descriptorCalls } from "./descriptor-calls.ts";
import { errno } from "./errno.ts";
import { pathCalls } from "./path-calls.ts";
import { pollCalls } from "./poll.ts";
import { processCalls } from "./process-calls.ts";
import { programOf } from "./program.ts";

export const preview1Module = "wasi_snapshot_preview1";

const noSocket = (params: number): HostCalls[string] =>
  call(Array<string>(params).fill("i32"), ["i32"], (state) => programOf(state).done(errno.notsup));

export const preview1: HostCalls = {
  ...processCalls,
  ...descriptorCalls,
  ...pathCalls,
  ...pollCalls,
  sock_accept: noSocket(3),
  sock_recv: noSocket(6),
  sock_send: noSocket(5),
  sock_shutdown: noSocket(2),
};
