// wasi:random 0.2. What may be insecure is as good as the rest.

import { randomBytes } from "node:crypto";
import { limits } from "../../../limits.ts";
import { tuple } from "./compound-types.ts";
import type { ComponentGuest } from "./guest.ts";
import { func, type Interface } from "./host-function.ts";
import { bytes, u64 } from "./value-types.ts";

const word = (): bigint => randomBytes(8).readBigUInt64LE();

function some(guest: ComponentGuest, length: bigint): Uint8Array {
  if (length > BigInt(limits.systemRandomBytesMax)) {
    throw guest.fault(`it asks ${length} random bytes, limit is ${limits.systemRandomBytesMax}`);
  }
  // It takes about ten times as long as moving them.
  guest.works(10 * Number(length));
  return randomBytes(Number(length));
}

export const random: Interface = {
  resources: [],
  functions: {
    "get-random-bytes": func([u64], bytes, some),
    "get-random-u64": func([], u64, word),
  },
};

export const insecure: Interface = {
  resources: [],
  functions: {
    "get-insecure-random-bytes": func([u64], bytes, some),
    "get-insecure-random-u64": func([], u64, word),
  },
};

export const insecureSeed: Interface = {
  resources: [],
  functions: { "insecure-seed": func([], tuple(u64, u64), () => [word(), word()] as const) },
};
