// Copies of a function on the host, each of which is compiled for itself.

import { randomInt } from "node:crypto";
import { distinctComponentCopy } from "../../wasm/component/component-copies.ts";
import { isComponent } from "../../wasm/component/inspect-component.ts";
import { distinctCopy } from "../../wasm/copies.ts";
import { CommandFailure, messageOf } from "../failure.ts";
import type { Deployment } from "./deployments.ts";
import type { BenchRun } from "./run.ts";
import type { Target } from "./target.ts";

/** `count` uploads that differ in one constant alone; no two runs have one in common. */
export async function copiesOf(target: Target, count: number): Promise<Deployment[]> {
  const [wasm, files, config] = [await target.wasm(), await target.files(), await target.config()];
  // So that a host that has kept the copies of an earlier run compiled does not have these.
  const first = randomInt(0x4000_0000);
  return Array.from({ length: count }, (_, index) => ({
    suffix: String(index),
    wasm: copyOf(wasm, first + index, target.label),
    files,
    config,
  }));
}

/** Deploys them; their names in the order given, and how long each deploy took. */
export async function deployCopies(
  { deployments, progress, signal }: BenchRun,
  copies: readonly Deployment[],
  onDeployed: (count: number, ms: number) => Promise<void> | void = () => {},
): Promise<string[]> {
  const names: string[] = [];
  progress.step("deploying copies", copies.length);
  await deployments.deployAll(copies, signal, async (name, ms) => {
    names.push(name);
    progress.done(names.length);
    await onDeployed(names.length, ms);
  });
  return names;
}

/** The function on the host: the one that is there, or a copy that is deployed under `suffix`. */
export async function placed(run: BenchRun, target: Target, suffix: string): Promise<string> {
  if (target.deployed !== null) return target.deployed;
  const [copy] = await copiesOf(target, 1);
  if (copy === undefined) throw new Error("one copy was asked for");
  run.progress.step("deploying", 1);
  return (await run.deployments.deploy({ ...copy, suffix })).name;
}

function copyOf(wasm: Uint8Array, number: number, label: string): Uint8Array {
  try {
    return isComponent(wasm) ? distinctComponentCopy(wasm, number) : distinctCopy(wasm, number);
  } catch (error) {
    throw new CommandFailure("invalid_module", `Cannot read ${label} as a module: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
