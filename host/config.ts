// The host's configuration: read once from the flags of `mayfly serve` and the environment, every
// fault reported together, then frozen. `cli/commands/serve.ts` calls `parseConfig`; `--help` and
// docs/ describe it from `settingTable`. It prints nothing and looks at nothing but its arguments,
// and the file of the secret key if they name one.

import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";
import { limits } from "./limits.ts";
import { endpointText, headersText, rateCardText, shareText } from "./observe-settings.ts";
import type { RateCard } from "./rate-card.ts";
import { parseSecretKey, secretKeyBytes } from "./secret-box.ts";

export type HostConfig = {
  /** An IP address without brackets, or `localhost`. */
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** What a control-plane call must send as its bearer token; null where none is asked for. */
  readonly token: string | null;
  /** What secrets are sealed with, as `parseSecretKey` reads it; null for a key in the data folder. */
  readonly secretKey: string | null;
  /** The key before, under which secrets may still be sealed; null for none. */
  readonly secretKeyOld: string | null;
  /** Further names the control plane answers to: lower case, no port, IPv6 without brackets. */
  readonly hostNames: readonly string[];
  /** Of web pages that may call the control plane. */
  readonly origins: readonly string[];
  /** Whether modules that cannot be metered are taken, and run. */
  readonly allowUnmetered: boolean;
  /** Whether every call runs on a worker thread, however short it is. */
  readonly threadsOnly: boolean;
  /** What use costs; null where it has no price. */
  readonly rates: RateCard | null;
  /** Where traces are sent, `http://collector:4318/v1/traces`; null for nowhere. */
  readonly traceEndpoint: string | null;
  /** Share of the calls that are traced when no caller has decided about it. */
  readonly traceSample: number;
  /** Further headers of what is sent there. */
  readonly traceHeaders: Readonly<Record<string, string>>;
};

type Setting = {
  readonly flag: string;
  /** The word for the value in `--help`; null for a flag that has none and means `true`. */
  readonly value: string | null;
  readonly env: string;
  /** As text for people; null where there is none. */
  readonly default: string | null;
  readonly meaning: string;
};

/** Every setting of a host, in the order of `--help`. */
export const settingTable = {
  host: {
    flag: "--host",
    value: "ADDRESS",
    env: "MAYFLY_HOST",
    default: "127.0.0.1",
    meaning: "IP address to listen on, or localhost",
  },
  port: {
    flag: "--port",
    value: "PORT",
    env: "MAYFLY_PORT",
    default: "4747",
    meaning: "TCP port to listen on; 0 = any free one",
  },
  data: {
    flag: "--data",
    value: "DIR",
    env: "MAYFLY_DATA",
    default: ".mayfly",
    meaning: "folder of functions, versions and logs; one host at a time",
  },
  minWorkers: {
    flag: "--min-workers",
    value: "N",
    env: "MAYFLY_MIN_WORKERS",
    default: "1",
    meaning: "threads kept while idle; 0 = none",
  },
  maxWorkers: {
    flag: "--max-workers",
    value: "N",
    env: "MAYFLY_MAX_WORKERS",
    default: "number of cores",
    meaning: "threads at most",
  },
  token: {
    flag: "--token",
    value: "TOKEN",
    env: "MAYFLY_TOKEN",
    default: null,
    meaning:
      "bearer token that every control-plane call must send; without one only this machine may call it",
  },
  secretKey: {
    flag: "--secret-key",
    value: "KEY",
    env: "MAYFLY_SECRET_KEY",
    default: null,
    meaning:
      "what secrets are sealed with: 32 bytes in base64 or hexadecimal digits, or @FILE that holds them; without it a key in the data folder",
  },
  secretKeyOld: {
    flag: "--secret-key-old",
    value: "KEY",
    env: "MAYFLY_SECRET_KEY_OLD",
    default: null,
    meaning:
      "the key before, written as --secret-key: what is sealed under it is sealed under the new one at this start",
  },
  hostNames: {
    flag: "--host-name",
    value: "NAMES",
    env: "MAYFLY_HOST_NAMES",
    default: null,
    meaning: "further names the control plane answers to, separated by commas",
  },
  origins: {
    flag: "--origin",
    value: "ORIGINS",
    env: "MAYFLY_ORIGINS",
    default: null,
    meaning: "origins of web pages that may call the control plane with a token, separated by commas",
  },
  allowUnmetered: {
    flag: "--allow-unmetered",
    value: null,
    env: "MAYFLY_ALLOW_UNMETERED",
    default: "false",
    meaning: "take modules that cannot be metered or may end the process: only from people you trust",
  },
  threadsOnly: {
    flag: "--threads-only",
    value: null,
    env: "MAYFLY_THREADS_ONLY",
    default: "false",
    meaning: "run short calls on worker threads too, at several times their price",
  },
  rates: {
    flag: "--rates",
    value: "CARD",
    env: "MAYFLY_RATES",
    default: null,
    meaning: "what use costs: a rate card in JSON, or @FILE that holds one; see docs/metering.md",
  },
  traceEndpoint: {
    flag: "--trace-endpoint",
    value: "URL",
    env: "MAYFLY_TRACE_ENDPOINT",
    default: null,
    meaning: "where traces are sent over OTLP/HTTP in JSON, such as http://127.0.0.1:4318/v1/traces",
  },
  traceSample: {
    flag: "--trace-sample",
    value: "SHARE",
    env: "MAYFLY_TRACE_SAMPLE",
    default: "0.01",
    meaning: "share of calls that are traced, 0 to 1, when their caller has not decided about it",
  },
  traceHeaders: {
    flag: "--trace-headers",
    value: "HEADERS",
    env: "MAYFLY_TRACE_HEADERS",
    default: null,
    meaning:
      "further headers of what is sent there: NAME=VALUE, separated by commas, or @FILE that holds them",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settingTable;
export type SettingFlags = { readonly [name in SettingName]?: string };

/** Known as well: it belongs to the client side of the command line. (MAYFLY_TOKEN belongs to both.) */
const clientVariables = new Set(["MAYFLY_URL", "MAYFLY_NAMESPACE", "MAYFLY_INVOKE_TOKEN"]);
const testVariablePrefix = "MAYFLY_TEST_";
/** Of which no error shows a value, not even a wrong one. */
const secretSettings: ReadonlySet<SettingName> = new Set([
  "token",
  "secretKey",
  "secretKeyOld",
  "traceHeaders",
]);
const tokenCharactersMax = 4_096;
const hostNamesMax = 100;

/** Holds every fault of a configuration, not only the first. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[], warnings: readonly string[]) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    super(
      `Cannot start the host, its configuration has ${count}:\n${[...faults, ...warnings].map((f) => `  ${f}`).join("\n")}`,
    );
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/**
 * Flags win over the environment, which wins over the defaults. `data` is taken relative to `cwd`.
 * Throws ConfigError with all faults; what is merely odd comes back as `warnings`.
 */
export function parseConfig(
  flags: SettingFlags,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string = process.cwd(),
): { readonly config: HostConfig; readonly warnings: readonly string[] } {
  const texts = Object.fromEntries(
    settingNames().map((name) => [name, flags[name] ?? env[settingTable[name].env]]),
  );
  for (const name of ["secretKey", "secretKeyOld", "rates", "traceHeaders"]) {
    const text = texts[name];
    if (text?.startsWith("@")) texts[name] = fileText(resolve(cwd, text.slice(1)));
  }
  const parsed = settingsSchema.safeParse(texts);
  if (!parsed.success)
    throw new ConfigError(
      parsed.error.issues.map((issue) => faultOf(issue, texts, flags)),
      unknownVariables(env),
    );
  const { data, ...rest } = parsed.data;
  Object.freeze(rest.hostNames);
  Object.freeze(rest.origins);
  const config = { ...rest, dataDir: resolve(cwd, data) };
  return { config: Object.freeze(config), warnings: unknownVariables(env) };
}

/**
 * What a file holds, as text; the bare bytes of a key, as the host's own `secrets.key` has them, in
 * hexadecimal digits. Empty, which is nothing that any setting takes, where it cannot be read.
 */
function fileText(file: string): string {
  try {
    const bytes = readFileSync(file);
    return bytes.toString(bytes.byteLength === secretKeyBytes ? "hex" : "utf8");
  } catch {
    return "";
  }
}

const wholeNumber = (min: number, max: number, hint = "") =>
  z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `want a whole number from ${min} to ${max}${hint}`,
    })
    .transform(Number);

const truth = z
  .enum(["true", "false"], { error: "want true or false" })
  .default("false")
  .transform((text) => text === "true");

const listenAddress = z
  .string()
  .transform(withoutBrackets)
  .refine((host) => isIP(host) !== 0 || host === "localhost", {
    error: "want an IP address such as 127.0.0.1, or localhost",
  });

const hostNameList = z
  .string()
  .transform((text) => text.split(",").map((name) => withoutBrackets(name.trim().toLowerCase())))
  .transform((names) => names.filter((name) => name !== ""))
  .refine((names) => names.length <= hostNamesMax && names.every(isHostName), {
    error: "want host names such as functions.example.org, without scheme or port, separated by commas",
  });

const originList = z
  .string()
  .transform((text) => text.split(",").flatMap((origin) => origin.trim() || []))
  .refine((origins) => origins.length <= hostNamesMax && origins.every(isOrigin), {
    error: "want origins such as https://console.example.org, without a path, separated by commas",
  });

const secretKey = z
  .string()
  .refine((text) => parseSecretKey(text) !== null, {
    error:
      "want 32 bytes in base64 or as 64 hexadecimal digits, such as `openssl rand -hex 32` prints, or @FILE that holds them and can be read",
  })
  .nullable()
  .default(null);

const settingsSchema = z
  .object({
    host: listenAddress.default("127.0.0.1"),
    port: wholeNumber(0, 65_535, " (0 = any free one)").default(4747),
    data: z
      .string()
      .refine((path) => path !== "" && !path.includes("\0"), { error: "want the path of a folder" })
      .default(".mayfly"),
    minWorkers: wholeNumber(0, limits.workersMax).default(1),
    maxWorkers: wholeNumber(1, limits.workersMax).default(() =>
      Math.min(availableParallelism(), limits.workersMax),
    ),
    token: z
      .string()
      .refine((token) => /^[\x21-\x7e]+$/.test(token) && token.length <= tokenCharactersMax, {
        error: `want 1 to ${tokenCharactersMax} visible ASCII characters without spaces`,
      })
      .nullable()
      .default(null),
    secretKey,
    secretKeyOld: secretKey,
    hostNames: hostNameList.default([]),
    origins: originList.default([]),
    allowUnmetered: truth,
    threadsOnly: truth,
    rates: rateCardText.nullable().default(null),
    traceEndpoint: endpointText.nullable().default(null),
    traceSample: shareText.default(0.01),
    traceHeaders: headersText.default({}),
  })
  .refine(({ minWorkers, maxWorkers }) => minWorkers <= maxWorkers, {
    path: ["minWorkers"],
    error: ({ input }) => `want no more than --max-workers, which is ${workerCounts.parse(input).maxWorkers}`,
    // Also when other settings are at fault, so that one run names them all.
    when: ({ value }) => workerCounts.safeParse(value).success,
  });

const workerCounts = z.object({ minWorkers: z.number(), maxWorkers: z.number() });

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string; readonly input?: unknown };

function faultOf(
  issue: Issue,
  texts: Readonly<Record<string, string | undefined>>,
  flags: SettingFlags,
): string {
  const name = settingNames().find((known) => known === issue.path[0]);
  if (name === undefined) return issue.message;
  const setting = settingTable[name];
  const source = flags[name] === undefined ? setting.env : setting.flag;
  // Secrets are never shown, not even wrong ones.
  const isSecret = secretSettings.has(name);
  const found = isSecret ? "is not usable" : `is ${JSON.stringify(texts[name] ?? setting.default)}`;
  return `${source} ${found}, ${issue.message}`;
}

function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = settingNames().map((name): string => settingTable[name].env);
  return Object.keys(env)
    .filter((name) => name.startsWith("MAYFLY_") && !name.startsWith(testVariablePrefix))
    .filter((name) => !known.includes(name) && !clientVariables.has(name))
    .sort()
    .map(
      (name) => `Unknown variable ${name} is ignored, known are ${[...known, ...clientVariables].join(", ")}`,
    );
}

function settingNames(): SettingName[] {
  return Object.keys(settingTable) as SettingName[];
}

function withoutBrackets(address: string): string {
  return /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

function isHostName(name: string): boolean {
  if (isIP(name) !== 0) return true;
  return (
    name.length <= 253 &&
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)
  );
}
