// The interfaces that the host implements for components, by name. A version of 0.2 asks for what any other
// one has, functions that came later aside: the patch number is not looked at. This is the allow-list that
// the deployer holds an upload against.

import type { CoreSource } from "../../../component-plan.ts";
import * as cli from "./cli.ts";
import * as clocks from "./clocks.ts";
import * as filesystem from "./filesystem.ts";
import type { HostFunction, Interface } from "./host-function.ts";
import * as http from "./http.ts";
import * as io from "./io.ts";
import * as keyvalue from "./keyvalue.ts";
import * as random from "./random.ts";

const interfaces: ReadonlyMap<string, Interface> = new Map([
  ["wasi:io/error", io.error],
  ["wasi:io/poll", io.poll],
  ["wasi:io/streams", io.streams],
  ["wasi:clocks/monotonic-clock", clocks.monotonicClock],
  ["wasi:clocks/wall-clock", clocks.wallClock],
  ["wasi:clocks/timezone", clocks.timezone],
  ["wasi:random/random", random.random],
  ["wasi:random/insecure", random.insecure],
  ["wasi:random/insecure-seed", random.insecureSeed],
  ["wasi:cli/environment", cli.environment],
  ["wasi:cli/exit", cli.exit],
  ["wasi:cli/stdin", cli.stdin],
  ["wasi:cli/stdout", cli.stdout],
  ["wasi:cli/stderr", cli.stderr],
  ["wasi:cli/terminal-input", cli.terminalInput],
  ["wasi:cli/terminal-output", cli.terminalOutput],
  ["wasi:cli/terminal-stdin", cli.terminalStdin],
  ["wasi:cli/terminal-stdout", cli.terminalStdout],
  ["wasi:cli/terminal-stderr", cli.terminalStderr],
  ["wasi:filesystem/types", filesystem.types],
  ["wasi:filesystem/preopens", filesystem.preopens],
  ["wasi:http/types", http.types],
  ["wasi:http/outgoing-handler", http.outgoingHandler],
]);

/** Drafts are offered as they are: another draft has other functions. */
const drafts: ReadonlyMap<string, Interface> = new Map([
  ["wasi:keyvalue/store@0.2.0-draft2", keyvalue.store],
  ["wasi:keyvalue/atomics@0.2.0-draft2", keyvalue.atomics],
  ["wasi:keyvalue/batch@0.2.0-draft2", keyvalue.batch],
]);

const versioned = /^([a-z-]+:[a-z-]+\/[a-z-]+)@0\.2\.\d+$/;

/** The interface of that name and version, or undefined. */
export function offeredInterface(name: string): Interface | undefined {
  return interfaces.get(versioned.exec(name)?.[1] ?? "") ?? drafts.get(name);
}

/** The function that a core module is to be given; undefined when the host does not have it. */
export function offeredFunction(
  source: Exclude<CoreSource, { kind: "export" }>,
): HostFunction | "drop" | undefined {
  const offered = offeredInterface(source.interface);
  if (offered === undefined) return undefined;
  if (source.kind === "drop") return offered.resources.includes(source.resource) ? "drop" : undefined;
  return Object.hasOwn(offered.functions, source.name) ? offered.functions[source.name] : undefined;
}
