// Calls that have ended, as tests of who looks on need them.

import type { EndedCall } from "../../host/ended-call.ts";
import { type Deployment, functionConfigDefault } from "../../host/function.ts";

export function deploymentOf(name: string, id = 1, version = 1): Deployment {
  return {
    id,
    name,
    version,
    digest: "sha256:",
    abi: "assemblyscript",
    bytes: 0,
    createdAtMs: 0,
    freshCosts: null,
    metered: true,
    files: null,
    quarantined: false,
    config: functionConfigDefault,
    configRevision: 1,
    alias: "live",
    isCanary: false,
  };
}

export function endedCall(rest: Partial<EndedCall> = {}): EndedCall {
  const deployment = rest.deployment === undefined ? deploymentOf("hello") : rest.deployment;
  return {
    requestId: "00000000-0000-4000-8000-000000000000",
    invocationId: null,
    kind: "http",
    deployment,
    functionName: deployment?.name ?? "absent",
    alias: "live",
    outcome: "ok",
    status: 200,
    startMs: 1_000,
    wallMs: 2,
    timings: { queue: 0.25, instantiate: 0.5, run: 1, cpu: 1.5, pageMs: 3, hostCalls: 4 },
    bytesIn: 10,
    bytesOut: 20,
    trace: null,
    ...rest,
  };
}
