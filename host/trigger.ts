// The noun of a trigger: what starts a function, and how its events are delivered. No I/O.

import { z } from "zod";
import { HostError } from "./errors.ts";
import { isFunctionName } from "./function.ts";

const name = z.string().refine(isFunctionName, "want 1 to 63 of a-z, 0-9 and inner hyphens");

const delivery = {
  /** The path that the function sees. */
  path: z
    .string()
    .max(1_024)
    .regex(/^\/[\x21-\x7e]*$/, "want a path such as /orders, percent-encoded")
    .default("/"),
  concurrency: z.int().min(1).max(1_000).default(10),
  attemptsMax: z.int().min(1).max(100).default(5),
  /** The first back-off at most, ms; it doubles with each attempt. */
  backoffMs: z.int().min(1).max(3_600_000).default(1_000),
  backoffMaxMs: z.int().min(1).max(86_400_000).default(300_000),
  maxAgeMs: z.int().min(1_000).max(2_678_400_000).default(86_400_000),
  paused: z.boolean().default(false),
};

const ordered = {
  /** Events of one `partitionkey`, else of one source and subject, one after the other. */
  ordered: z.boolean().default(false),
};

/** A part of a key: any text. */
const keyPart = z.string().max(1_024).default("");

const oneOf = <name extends string>(names: readonly [name, ...name[]], standard: readonly name[]) =>
  z
    .array(z.enum(names))
    .min(1)
    .default([...standard]);

const tableName = z
  .string()
  .max(200)
  .regex(/^[^.\0]+\.[^\0]+$/, "want SCHEMA.TABLE, as the database has them");

const postgresChanges = ["insert", "update", "delete", "truncate"] as const;

export type PostgresChange = (typeof postgresChanges)[number];

const postgres = z
  .strictObject({
    kind: z.literal("postgres"),
    /** Kept apart and shown to nobody; may be left out when a trigger is replaced. */
    url: z.string().max(4_096).optional(),
    /** Empty: all of the publication. */
    tables: z.array(tableName).max(1_000).default([]),
    /** Null: one of the trigger's own, which the host makes. */
    publication: z
      .string()
      .max(63)
      .regex(/^[^\0]+$/, "want the name of a publication")
      .nullable()
      .default(null),
    on: oneOf(postgresChanges, postgresChanges),
    /** Whether new and old values are told, or the key alone. */
    values: z.boolean().default(true),
    ...ordered,
    ...delivery,
  })
  .refine(({ publication, tables }) => publication !== null || tables.length > 0, {
    path: ["tables"],
    error: "want the tables to listen to, or a publication that names them",
  });

export const triggerSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("topic"),
    topic: name,
    ...ordered,
    ...delivery,
  }),
  z.strictObject({
    kind: z.literal("kv"),
    store: name,
    prefix: keyPart,
    on: oneOf(["set", "deleted", "expired"], ["set", "deleted", "expired"]),
    /** Whether the old and the new value are told. */
    values: z.boolean().default(false),
    ...ordered,
    ...delivery,
  }),
  z.strictObject({
    kind: z.literal("blob"),
    bucket: name,
    prefix: keyPart,
    suffix: keyPart,
    on: oneOf(["created", "deleted"], ["created"]),
    ...ordered,
    ...delivery,
  }),
  z.strictObject({
    kind: z.literal("schedule"),
    cron: z.string().max(200),
    timeZone: z.string().max(100).default("UTC"),
    missed: z.enum(["skip", "once", "all"]).default("once"),
    ...delivery,
  }),
  postgres,
]);

export type TriggerSettings = z.infer<typeof triggerSchema>;

/** Without the URL, once it is stored. */
export type PostgresSettings = Extract<TriggerSettings, { readonly kind: "postgres" }>;

/** What all kinds have: how events are delivered. */
export type DeliverySettings = Pick<TriggerSettings, keyof typeof delivery>;

export type Trigger = {
  readonly id: number;
  readonly function: string;
  readonly name: string;
  readonly settings: TriggerSettings;
  readonly createdAtMs: number;
  /** Of schedules: up to where instants have been acted on. */
  readonly seenMs: number;
};

/** Instants seen so far ahead of the clock were seen by a clock that was wrong, ms. */
const clockWrongMs = 86_400_000;

/** Whether instants were seen by a clock that was wrong: then those to come are acted on nevertheless. */
export function isFarAhead(seenMs: number, nowMs: number): boolean {
  return seenMs > nowMs + clockWrongMs;
}

/** What a trigger listens to, by which it is found; "" for what it looks for itself. */
export function sourceOf(settings: TriggerSettings): string {
  if (settings.kind === "topic") return settings.topic;
  if (settings.kind === "kv") return settings.store;
  return settings.kind === "blob" ? settings.bucket : "";
}

/** Throws `invalid_trigger` that names every fault. */
export function parseTrigger(value: unknown): TriggerSettings {
  const parsed = triggerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HostError("invalid_trigger", `The trigger is not valid: ${z.prettifyError(parsed.error)}`);
}
