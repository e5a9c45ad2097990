// Reads and changes a function's configuration in the words of the command line: `timeoutMs=500`,
// `env.NAME=VALUE`, `allowedHosts=a,b`. Pure; ranges are the host's to judge, which lists every
// fault at once.

import { functionConfigSchema } from "../function.ts";
import type { FunctionConfig } from "./client.ts";
import { closestName } from "./closest-name.ts";
import { WrongUsage } from "./failure.ts";

export type SettingChange =
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  | { readonly kind: "unset"; readonly key: string };

type SettingKind = "number" | "text" | "list" | "environment";

/** Every key the command line can set, and how its value is written. */
const settingKinds: ReadonlyMap<string, SettingKind> = new Map(
  Object.entries(functionConfigSchema.parse({})).map(([key, value]) => [key, kindOf(value)]),
);

/** Returns the configuration with the changes made in order; throws WrongUsage. */
export function changeSettings(config: FunctionConfig, changes: readonly SettingChange[]): FunctionConfig {
  return changes.reduce((before, change) => {
    requireKnownKey(change.key);
    return change.kind === "set" ? set(before, change.key, change.value) : unset(before, change.key);
  }, config);
}

/** The configuration as lines of key and value, `env` spread out. */
export function describeSettings(config: FunctionConfig): [key: string, value: string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] => {
    if (key === "env") {
      return Object.entries(environmentOf(config)).map(([name, text]) => [`env.${name}`, String(text)]);
    }
    if (Array.isArray(value)) return [[key, value.length === 0 ? "(none)" : value.join(",")]];
    return [[key, typeof value === "string" ? value : JSON.stringify(value)]];
  });
}

export function environmentOf(config: FunctionConfig): Readonly<Record<string, unknown>> {
  const { env } = config;
  return typeof env === "object" && env !== null && !Array.isArray(env) ? { ...env } : {};
}

function set(config: FunctionConfig, key: string, value: string): FunctionConfig {
  if (key.startsWith("env.")) return { ...config, env: { ...environmentOf(config), [key.slice(4)]: value } };
  const kind = settingKinds.get(key);
  if (kind === "environment") throw new WrongUsage("Cannot set env as a whole, want env.NAME=VALUE");
  if (kind === "list") return { ...config, [key]: value.split(",").flatMap((item) => item.trim() || []) };
  if (kind === "text") return { ...config, [key]: value };
  if (!/^-?\d{1,15}$/.test(value)) {
    throw new WrongUsage(`${key} is ${JSON.stringify(value)}, want a whole number such as ${key}=500`);
  }
  return { ...config, [key]: Number(value) };
}

/** A key that is left out of the PUT has its default again. */
function unset(config: FunctionConfig, key: string): FunctionConfig {
  const without = (values: Readonly<Record<string, unknown>>, name: string) =>
    Object.fromEntries(Object.entries(values).filter(([each]) => each !== name));
  if (!key.startsWith("env.")) return without(config, key);
  return { ...config, env: without(environmentOf(config), key.slice(4)) };
}

function requireKnownKey(key: string): void {
  if (settingKinds.has(key) || (key.startsWith("env.") && key.length > 4)) return;
  const known = [...settingKinds.keys()].map((name) => (name === "env" ? "env.NAME" : name));
  const closest = closestName(key, known);
  const instead = closest === null ? `known are ${known.join(", ")}` : `did you mean ${closest}`;
  throw new WrongUsage(`Unknown key ${JSON.stringify(key)}, ${instead}`);
}

function kindOf(value: unknown): SettingKind {
  if (typeof value === "number") return "number";
  if (Array.isArray(value)) return "list";
  return typeof value === "string" ? "text" : "environment";
}
