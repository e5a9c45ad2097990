// The machine of a comparison: what its figures depend on, and nothing that would name it.

import { cpus, release, totalmem } from "node:os";
import type { Machine } from "./report.ts";

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch}, kernel ${release()}`,
  };
}
