// The nouns of a function: its name, configuration and versions. No I/O.

import { z } from "zod";
import { isHostPattern } from "./allowed-hosts.ts";
import { HostError } from "./errors.ts";
import { limits } from "./limits.ts";
import { secretNamePattern } from "./secret.ts";

const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether `text` is a function name (a DNS label of RFC 1123, lower case). */
export function isFunctionName(text: string): boolean {
  return namePattern.test(text);
}

/** Returns `text` when it is a function name, else throws `invalid_name`. */
export function functionName(text: string): string {
  if (isFunctionName(text)) return text;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new HostError(
    "invalid_name",
    `Cannot use ${shown} as a function name: want 1 to 63 of a-z, 0-9 and inner hyphens`,
  );
}

const environment = z
  .record(
    z.string().regex(secretNamePattern, "want letters, digits and _, not starting with a digit"),
    z.string(),
  )
  .refine(
    (env) => Object.keys(env).length <= limits.envEntriesMax,
    `want at most ${limits.envEntriesMax} variables`,
  )
  .refine(
    (env) =>
      Object.entries(env).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0) <=
      limits.envBytesMax,
    `want at most ${limits.envBytesMax} bytes of names and values`,
  );

/** A program's arguments, after its name. */
const args = z
  .array(z.string().refine((text) => !text.includes("\0"), "want no NUL"))
  .max(limits.envEntriesMax)
  .refine(
    (list) => list.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) <= limits.envBytesMax,
    `want at most ${limits.envBytesMax} bytes of arguments`,
  )
  .default([]);

const hostPattern = z
  .string()
  .max(253)
  .refine(isHostPattern, "want a host name, *.NAME, * or an address or range, each with an optional :PORT");

const topic = z
  .string()
  .refine((name) => name === "" || isFunctionName(name), "want the name of a topic, or nothing")
  .default("");

/** The configuration of a function; an absent field has its default, an unknown one is refused. */
export const functionConfigSchema = z.strictObject({
  timeoutMs: z.int().min(1).max(900_000).default(30_000),
  cpuMs: z.int().min(1).max(900_000).default(1_000),
  memoryMb: z.int().min(1).max(4_096).default(128),
  concurrency: z.int().min(1).max(100_000).default(100),
  queue: z.int().min(0).max(100_000).default(1_000),
  args,
  isolation: z.enum(["fresh", "snapshot", "reuse", "dedicated"]).default("fresh"),
  env: environment.default({}),
  /** Secrets that are variables as well. */
  envSecrets: z
    .array(z.string().regex(secretNamePattern, "want the name of a secret"))
    .max(limits.secretsPerFunctionMax)
    .default([]),
  /** Whether its callers have to have a token with the scope `invoke`. */
  access: z.enum(["public", "token"]).default("public"),
  /** Calls each second; 0: as many as come. */
  ratePerSecond: z.int().min(0).max(1_000_000).default(0),
  /** Those that may come at once; 0: as many as each second. */
  rateBurst: z.int().min(0).max(1_000_000).default(0),
  allowedHosts: z.array(hostPattern).max(100).default([]),
  /** Of asynchronous calls. */
  asyncAttemptsMax: z.int().min(1).max(100).default(3),
  asyncConcurrency: z.int().min(1).max(1_000).default(10),
  /** How long what came of one is kept. */
  asyncKeepMs: z.int().min(1_000).max(2_678_400_000).default(86_400_000),
  /** Topics that are told of their ends; "" for none. */
  onSuccess: topic,
  onFailure: topic,
});

export type FunctionConfig = z.infer<typeof functionConfigSchema>;

export const functionConfigDefault: FunctionConfig = Object.freeze(functionConfigSchema.parse({}));

/** Reads a configuration from parsed JSON; throws `invalid_config` with every fault. */
export function parseFunctionConfig(value: unknown): FunctionConfig {
  const result = functionConfigSchema.safeParse(value);
  const issues = [...(result.error?.issues ?? []), ...lostVariables(value)];
  if (result.success && issues.length === 0) return result.data;
  const faults = issues.map((issue) => ({
    path: issue.path.map(String).join("."),
    message: issue.message,
  }));
  const list = faults.map((fault) => (fault.path ? `${fault.path}: ${fault.message}` : fault.message));
  throw new HostError("invalid_config", `Cannot use this configuration: ${list.join("; ")}`, {
    extra: { faults },
  });
}

/** A variable named `__proto__`: zod leaves the key out without a word, and nothing may be lost so. */
function lostVariables(value: unknown): { path: string[]; message: string }[] {
  const env = (value as { env?: unknown } | null | undefined)?.env;
  const lost = typeof env === "object" && env !== null && Object.hasOwn(env, "__proto__");
  return lost ? [{ path: ["env", "__proto__"], message: "want another name" }] : [];
}

/** The kinds of entry point the host knows; the worker has one adapter for each. */
export type Abi = ModuleAbi | "component";

/** Those of core modules, told apart by what they export. */
export type ModuleAbi = "assemblyscript" | "wasi";

/** What a fresh instance costs in each way, in microseconds; measured when the version was deployed. */
export type FreshCosts = {
  readonly newUs: number;
  /** Null when an instance of the module cannot be set back to its image. */
  readonly resetUs: number | null;
};

/** Whether calls of a version run on instances that are set back, in place of new ones. */
export function runsOnReset({ freshCosts }: FunctionVersion): boolean {
  const resetUs = freshCosts?.resetUs ?? null;
  return freshCosts !== null && resetUs !== null && resetUs < freshCosts.newUs;
}

/** One immutable upload. */
export type FunctionVersion = {
  /** Unique in this host and never used again, also after the function is deleted. */
  readonly id: number;
  readonly name: string;
  /** Counts 1, 2, 3 … within the name. */
  readonly version: number;
  /** `sha256:<hex>` of the bytes as uploaded. */
  readonly digest: string;
  readonly abi: Abi;
  readonly bytes: number;
  readonly createdAtMs: number;
  /** Null for a version from before it was measured. */
  readonly freshCosts: FreshCosts | null;
  readonly quarantined: boolean;
  /** False when the bytes run as they were uploaded, on threads of their own, and nothing in them asks the host. */
  readonly metered: boolean;
  /** The files it carries; null for none. */
  readonly files: VersionFiles | null;
};

/** Files in their stored form (files/file-tree.ts): `sha256:<hex>` of it, and its size. */
export type VersionFiles = { readonly digest: string; readonly bytes: number };

/** What of a version decides in which form its bytes run. */
export type ModuleForm = Pick<FunctionVersion, "digest" | "metered" | "files" | "abi">;

/** How a host's owner lets versions run that are not metered. */
export const unmeteredWayOut = "start the host with --allow-unmetered, or MAYFLY_ALLOW_UNMETERED=true";

/** A version with the configuration it runs under: what the router answers and a call runs. */
export type Deployment = FunctionVersion & {
  readonly config: FunctionConfig;
  /** Rises with every change of the configuration, so that `id:configRevision` names one set-up. */
  readonly configRevision: number;
  /** The alias that led to it; null where its number did. */
  readonly alias: string | null;
  /** Whether it has been chosen for a canary's share of the alias's calls. */
  readonly isCanary: boolean;
};
