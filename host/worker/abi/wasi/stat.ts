// How descriptors and files are described to a guest.

import type { Node } from "../../filesystem/nodes.ts";
import type { GuestMemory } from "../../guest-memory.ts";
import type { Descriptor } from "./descriptors.ts";

const fileType = { unknown: 0, directory: 3, file: 4 } as const;

export function typeOf(kind: Descriptor["kind"]): number {
  return kind === "file" || kind === "directory" ? fileType[kind] : fileType.unknown;
}

export const right = { read: 1n << 1n, write: 1n << 6n } as const;
/** All that preview 1 knows: what cannot be done is refused when it is tried. */
const everyRight = (1n << 30n) - 1n;
const seekAndTell = (1n << 2n) | (1n << 5n);

export const fdFlag = { append: 1, nonblock: 4 } as const;

const fdstatBytes = 24;

export function writeFdstat(memory: GuestMemory, pointer: number, descriptor: Descriptor): void {
  memory.view(pointer, fdstatBytes).fill(0);
  const at = pointer >>> 0;
  const { kind } = descriptor;
  const flags = flagsOf(descriptor);
  memory.setU32(at, typeOf(kind) | (flags << 16));
  memory.setU64(at + 8, kind === "source" || kind === "sink" ? everyRight & ~seekAndTell : everyRight);
  memory.setU64(at + 16, kind === "directory" ? everyRight : 0n);
}

function flagsOf(descriptor: Descriptor): number {
  if (descriptor.kind === "file") return descriptor.appends ? fdFlag.append : 0;
  return descriptor.kind !== "directory" && descriptor.nonblocking ? fdFlag.nonblock : 0;
}

const filestatBytes = 64;
const nsPerMs = 1_000_000n;

/** `node` null for what is no file. */
export function writeFilestat(memory: GuestMemory, pointer: number, node: Node | null): void {
  memory.view(pointer, filestatBytes).fill(0);
  if (node === null) return memory.setU64((pointer >>> 0) + 24, 1n);
  const at = pointer >>> 0;
  const changedNs = BigInt(node.changedMs) * nsPerMs;
  memory.setU64(at, 1n);
  memory.setU64(at + 8, BigInt(node.id));
  memory.setU32(at + 16, typeOf(node.kind));
  memory.setU64(at + 24, node.linked ? 1n : 0n);
  memory.setU64(at + 32, BigInt(node.kind === "file" ? node.size : 0));
  for (const offset of [40, 48, 56]) memory.setU64(at + offset, changedNs);
}
