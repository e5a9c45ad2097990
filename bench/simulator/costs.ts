// What `npm run bench -- costs` measures of one host, kept in costs.json for the model of scale.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Costs = {
  /** CPU of the main thread for a short call, which runs there whole: HTTP, admission, the guest. */
  readonly shortUsPerCall: number;
  /** CPU of the main thread for a call that runs on another: it is one thread, whatever the machine. */
  readonly mainUsPerCall: number;
  /** CPU of all other threads of the host a call: the round trip, the instance and hello itself. */
  readonly threadsUsPerCall: number;
  readonly baseMb: number;
  readonly threadMb: number;
  /** CPU that starting a thread takes. */
  readonly threadStartMs: number;
  /** A call that waits, with its instance, its stack and its connection. */
  readonly liveCallKb: number;
  /** A function that nobody has called. */
  readonly idleFunctionKb: number;
  /** What a function holds more once it was called and its module is kept. */
  readonly keptModuleKb: number;
  /** CPU that a call takes more when its module is read, checked, rewritten and compiled: of all threads. */
  readonly loadMs: number;
  /** And of the main thread alone. */
  readonly loadMainMs: number;
};

const file = join(import.meta.dirname, "costs.json");

export const readCosts = (): Costs => JSON.parse(readFileSync(file, "utf8"));
export const writeCosts = (costs: Costs): void => writeFileSync(file, `${JSON.stringify(costs, null, 2)}\n`);
