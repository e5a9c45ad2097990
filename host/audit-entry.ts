// The noun of the audit log: one change of the control plane, and who made it. No I/O.

/** `root`: the host's own token · `local`: a loopback peer without one · else `token` and its id. */
export type Who = "root" | "local" | `token ${string}`;

export type AuditEntry = {
  readonly id: number;
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly who: Who;
  readonly method: string;
  /** The path, without the prefix of its namespace. */
  readonly target: string;
  readonly namespace: string;
  readonly requestId: string;
  /** Null: the host ended before it was known what became of it. */
  readonly status: number | null;
  /** What of the resource the change has changed, as a GET shows it; null where there was, or is, none. */
  readonly before: unknown;
  readonly after: unknown;
};

export type AuditBegin = Pick<AuditEntry, "who" | "method" | "target" | "namespace" | "requestId">;
export type AuditEnd = Pick<AuditEntry, "before" | "after"> & {
  readonly id: number;
  readonly status: number;
};

/** The members of two objects that are not the same in both. */
export function difference(before: unknown, after: unknown): { before: unknown; after: unknown } {
  if (!isRecord(before) || !isRecord(after)) return { before, after };
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return { before: only(before, changed), after: only(after, changed) };
}

function only(value: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in value).map((name) => [name, value[name]]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
