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

/** The table of docs/scaling.md. */
export function costRows(costs: Costs): { server: string; cost: string }[] {
  const row = (server: string, cost: string) => ({ server, cost });
  return [
    row("a call of `hello`, run on the main thread: its CPU", `${costs.shortUsPerCall.toFixed(0)} µs`),
    row("the same handed to another thread: CPU of the main thread", `${costs.mainUsPerCall.toFixed(0)} µs`),
    row("and of all other threads", `${costs.threadsUsPerCall.toFixed(0)} µs`),
    row("a host with nothing, resident", `${costs.baseMb.toFixed(0)} MB`),
    row("a thread, resident", `${costs.threadMb.toFixed(1)} MB`),
    row("a thread, CPU to start", `${costs.threadStartMs.toFixed(0)} ms`),
    row("a call that waits, resident", `${costs.liveCallKb.toFixed(0)} kB`),
    row("a function that nobody has called, resident", `${costs.idleFunctionKb.toFixed(1)} kB`),
    row("a module that is kept, resident, beyond that", `${costs.keptModuleKb.toFixed(0)} kB`),
    row("a call whose module has to be loaded, CPU beyond another's", `${costs.loadMs.toFixed(1)} ms`),
    row("of that on the main thread", `${costs.loadMainMs.toFixed(1)} ms`),
  ];
}
