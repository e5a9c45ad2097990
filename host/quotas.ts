// The noun of quotas: what a namespace may have, and how it is said that it has it. Pure.

import { z } from "zod";
import { HostError } from "./errors.ts";

const bytes = z.int().min(0).nullable().default(null);

/** Null: no quota. */
export const quotasSchema = z.strictObject({
  /** Functions that are deployed. */
  functions: z.int().min(0).nullable().default(null),
  /** Of modules and files of all kept versions. */
  bytes,
  /** Calls that begin each second, over all functions. */
  callsPerSecond: z.int().min(1).max(1_000_000).nullable().default(null),
  /** MiB that the memories of live calls may hold. */
  memoryMb: z.int().min(1).nullable().default(null),
  /** Keys and values of key-value stores. */
  kvBytes: bytes,
  /** Keys and bytes of blobs. */
  blobBytes: bytes,
});

export type Quotas = z.infer<typeof quotasSchema>;
export type QuotaName = keyof Quotas;

export type Namespace = { readonly name: string; readonly quotas: Quotas; readonly createdAtMs: number };

export const noQuotas: Quotas = Object.freeze(quotasSchema.parse({}));

/** What of its quotas a namespace has, as far as it is kept. */
export type NamespaceUse = Readonly<Record<Exclude<QuotaName, "callsPerSecond" | "memoryMb">, number>>;

/** Throws `bad_request` that names every fault. */
export function parseQuotas(value: unknown): Quotas {
  const parsed = z.strictObject({ quotas: quotasSchema.default(noQuotas) }).safeParse(value);
  if (parsed.success) return parsed.data.quotas;
  throw new HostError("bad_request", `Cannot use these quotas: ${z.prettifyError(parsed.error)}`);
}

/** Throws `quota_exceeded` where a namespace would have more than it may. */
export function assertWithin(namespace: string, quota: QuotaName, max: number | null, wanted: number): void {
  if (max === null || wanted <= max) return;
  throw new HostError(
    "quota_exceeded",
    `The namespace "${namespace}" would have ${wanted} of its quota "${quota}", which is ${max}`,
  );
}
