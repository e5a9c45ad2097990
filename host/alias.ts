// The nouns of releases: an alias of a function, and how it splits calls between two versions. No I/O.

import { z } from "zod";
import { HostError } from "./errors.ts";
import { type Deployment, isFunctionName } from "./function.ts";
import { limits } from "./limits.ts";

/** What is called without a pin; every function that has a version has it. */
export const liveAlias = "live";

/** The topic that is told of canaries that were taken back. */
export const releasesTopic = "mayfly-releases";

/** Shares of calls are whole numbers out of so many. */
export const wholeShare = 10_000;

/** Whose value decides which of two versions a call runs; calls without it are split at random. */
export type Sticky = { readonly header: string } | { readonly cookie: string };

/** When a canary is taken back: bounds that its calls within the last `windowMs` are held to. */
export type Guard = {
  /** Null for no bound. */
  readonly errorPercentMax: number | null;
  readonly p99MsMax: number | null;
  /** Fewer calls are no evidence. */
  readonly callsMin: number;
  readonly windowMs: number;
};

export type TakenBack = { readonly atMs: number; readonly reason: string };

export type Canary = {
  readonly version: number;
  /** Of `wholeShare`. */
  readonly share: number;
  readonly guard: Guard | null;
  /** Null unless its share is 0 because of that. */
  readonly takenBack: TakenBack | null;
};

/** What an alias leads to. */
export type Split = {
  readonly version: number;
  readonly canary: Omit<Canary, "takenBack"> | null;
  readonly sticky: Sticky | null;
};

export type Alias = {
  readonly function: string;
  readonly name: string;
  readonly version: number;
  readonly canary: Canary | null;
  readonly sticky: Sticky | null;
  /** What it led to before; null when it has led to nothing else. */
  readonly versionBefore: number | null;
  /** Rises with every change of an alias of the function. */
  readonly revision: number;
  readonly changedAtMs: number;
};

/** An alias with what its calls run. */
export type Release = {
  readonly alias: Alias;
  /** What runs all calls that are not the canary's. */
  readonly stable: Deployment;
  /** Null while it has no share, or may not run. */
  readonly canary: Deployment | null;
};

/** Whether `text` pins a version by its number. */
export function isVersionNumber(text: string): boolean {
  return /^[1-9]\d{0,8}$/.test(text);
}

/** Returns `text` when it may be the name of an alias, else throws `invalid_name`. */
export function aliasName(text: string): string {
  if (isFunctionName(text) && !/^\d+$/.test(text)) return text;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new HostError(
    "invalid_name",
    `Cannot use ${shown} as the name of an alias: want 1 to 63 of a-z, 0-9 and inner hyphens, and not digits alone`,
  );
}

const version = z.int("want the number of a version; an alias does not lead to other aliases").min(1);
const token = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/, "want a token of 1 to 64 characters");

const percent = z
  .number()
  .min(0)
  .max(100)
  .refine((value) => isWhole(value * 100), "want at most two decimals");

const sticky = z.union(
  [
    z.strictObject({ header: token.transform((name) => name.toLowerCase()) }),
    z.strictObject({ cookie: token }),
  ],
  'want {"header": NAME} or {"cookie": NAME}',
);

const guard = z
  .strictObject({
    errorPercentMax: z.number().min(0).max(100).nullable().default(null),
    p99MsMax: z.number().min(1).max(900_000).nullable().default(null),
    callsMin: z.int().min(1).max(1_000_000).default(100),
    windowMs: z.int().min(1_000).max(3_600_000).default(60_000),
  })
  .refine(
    ({ errorPercentMax, p99MsMax }) => errorPercentMax !== null || p99MsMax !== null,
    "want a bound: errorPercentMax or p99MsMax",
  );

const splitSchema = z.strictObject({
  version: version.optional(),
  versions: z
    .array(z.strictObject({ version, percent }))
    .min(1)
    .max(2, "want one version, or two")
    .optional(),
  sticky: sticky.nullable().default(null),
  guard: guard.nullable().default(null),
});

/** Reads what an alias is to lead to from parsed JSON; throws `invalid_alias` with every fault. */
export function parseSplit(value: unknown): Split {
  const result = splitSchema.safeParse(value);
  if (!result.success) throw invalid(z.prettifyError(result.error).replaceAll("\n", " "));
  const { version: alone, versions, sticky, guard } = result.data;
  if ((alone === undefined) === (versions === undefined)) {
    throw invalid('want "version": NUMBER, or "versions": [{"version": NUMBER, "percent": NUMBER}, …]');
  }
  const parts = versions ?? [{ version: alone ?? 0, percent: 100 }];
  const [stable, canary] = parts.map((part) => ({ ...part, share: Math.round(part.percent * 100) }));
  const sum = (stable?.share ?? 0) + (canary?.share ?? 0);
  if (sum !== wholeShare) throw invalid(`the percentages sum to ${sum / 100}, want 100`);
  if (stable === undefined) throw invalid("want one version, or two");
  if (canary === undefined) {
    if (sticky !== null || guard !== null) {
      throw invalid("sticky and guard are about a split, want two versions");
    }
    return { version: stable.version, canary: null, sticky: null };
  }
  if (canary.version === stable.version) throw invalid("both versions are the same, want two");
  return { version: stable.version, canary: { version: canary.version, share: canary.share, guard }, sticky };
}

function invalid(reason: string): HostError {
  return new HostError("invalid_alias", `Cannot set the alias: ${reason}`);
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-9;
}

/** Throws `invalid_alias` when a function with so many aliases is to have one more. */
export function assertRoomForAlias(functionName: string, count: number): void {
  if (count < limits.aliasesPerFunctionMax) return;
  throw new HostError("invalid_alias", `"${functionName}" has ${count} aliases, which is the limit`);
}

/** The first version of a function is live. */
export function noLiveVersion(name: string): HostError {
  return new HostError(
    "no_live_version",
    `Cannot keep the version back: "${name}" has none that is live; deploy the first one as such`,
  );
}
