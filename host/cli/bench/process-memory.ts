// Resident memory of a host that bench has started, process by process, from /proc: Linux alone.

import { readFile } from "node:fs/promises";

export type HostMemory = {
  /** Bytes of the host process, the only one of which functions take any. */
  readonly hostBytes: number;
  /** Bytes of all its processes; pages that they share are counted in each. Null where that is not known. */
  readonly allBytes: number | null;
  readonly processes: number | null;
};

/** The memory of the supervisor `pid` and of all that it has started; null where /proc does not tell. */
export async function readHostMemory(pid: number): Promise<HostMemory | null> {
  const pids = await familyOf(pid);
  const sizes = await Promise.all(pids.map(residentBytes));
  const commands = await Promise.all(pids.map((each) => textOf(`/proc/${each}/cmdline`)));
  const hostAt = commands.findIndex((command) => /host-process\.[tj]s/.test(command ?? ""));
  const hostBytes = sizes[hostAt];
  if (hostBytes === undefined || hostBytes === null) return null;
  // One that has ended meanwhile holds nothing.
  return {
    hostBytes,
    allBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    processes: pids.length,
  };
}

async function familyOf(pid: number): Promise<readonly number[]> {
  const children = (await textOf(`/proc/${pid}/task/${pid}/children`)) ?? "";
  const pids = children.trim().split(/\s+/).filter(Boolean).map(Number);
  const families = await Promise.all(pids.map(familyOf));
  return [pid, ...families.flat()];
}

async function residentBytes(pid: number): Promise<number | null> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec((await textOf(`/proc/${pid}/status`)) ?? "")?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // No such process any more, or no /proc on this system.
    return null;
  }
}
