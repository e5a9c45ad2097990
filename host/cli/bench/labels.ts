// What the phases of a call are called where people read them.

import type { PhaseName } from "./answer-head.ts";

export const phaseLabels: Readonly<Record<PhaseName | "rest", string>> = {
  queue: "queue",
  load: "module load",
  compile: "compile",
  instantiate: "instantiate",
  run: "guest run",
  wait: "wait in host calls",
  rest: "HTTP and the rest",
};

export const endToEndLabel = "end to end";
