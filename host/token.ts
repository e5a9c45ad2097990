// The nouns of tokens: what a bearer of one may do, and where. Pure.

import { z } from "zod";
import { HostError } from "./errors.ts";
import { limits } from "./limits.ts";
import { namespaceOf, plainName } from "./namespace.ts";

/**
 * read: look at what there is · deploy: change it, and look · invoke: call functions that ask for a token ·
 * admin: all of it, and tokens.
 */
export const scopes = ["read", "deploy", "invoke", "admin"] as const;
export type Scope = (typeof scopes)[number];

const impliedBy: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ["read", "deploy", "admin"],
  deploy: ["deploy", "admin"],
  invoke: ["invoke", "admin"],
  admin: ["admin"],
};

const namePattern = z
  .string()
  .regex(/^[a-z0-9*-]{1,63}$/, "want a name, in which * is any part, such as shop-*");

export const tokenSettingsSchema = z
  .strictObject({
    /** For people. */
    label: z.string().max(100).default(""),
    scopes: z.array(z.enum(scopes)).min(1),
    /** Of functions, stores, buckets and topics. */
    names: z.array(namePattern).min(1).max(100).default(["*"]),
    /** Seconds; null: it does not expire. */
    expiresInS: z.int().min(1).max(limits.tokenSecondsMax).nullable().default(null),
    /** Calls of functions by it each second; 0: no limit of its own. */
    ratePerSecond: z.number().min(0).max(1_000_000).default(0),
    /** Those that may come at once; 0: as many as each second. */
    rateBurst: z.int().min(0).max(1_000_000).default(0),
    /** Whether it is for all namespaces of the host. */
    allNamespaces: z.boolean().default(false),
  })
  .refine(({ scopes: given, names }) => !given.includes("admin") || isUnlimited(names), {
    path: ["names"],
    error: "a token with the scope admin can make others, and is for all names",
  });

export type TokenSettings = z.infer<typeof tokenSettingsSchema>;

export type Token = Pick<TokenSettings, "label" | "scopes" | "names" | "ratePerSecond" | "rateBurst"> & {
  readonly id: string;
  /** Null: of all. */
  readonly namespace: string | null;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly usedAtMs: number | null;
};

/** Throws `bad_request` that names every fault. */
export function parseTokenSettings(value: unknown): TokenSettings {
  const parsed = tokenSettingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HostError("bad_request", `Cannot make this token: ${z.prettifyError(parsed.error)}`);
}

/** Whether a token with these scopes may do what any of `wanted` allows. */
export function allows({ scopes: given }: Pick<Token, "scopes">, wanted: readonly Scope[]): boolean {
  return wanted.some((scope) => impliedBy[scope].some((each) => given.includes(each)));
}

/** Whether a token is for a name as it is kept, namespace included. */
export function reaches(token: Pick<Token, "namespace" | "names">, qualified: string): boolean {
  if (token.namespace !== null && token.namespace !== namespaceOf(qualified)) return false;
  const name = plainName(qualified);
  return token.names.some((pattern) => matches(pattern, name));
}

/** Whether a token is for every name of its namespace. */
export function isUnlimited(names: readonly string[]): boolean {
  return names.some((pattern) => /^\*+$/.test(pattern));
}

/** Without regular expressions: a pattern of stars would have them try for ever. */
function matches(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() as string;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
