// Reads what the host says of a call in the head of its answer: status, phases, CPU time. Pure.

/** The phases of a call that the host times, in the order in which they follow one another. */
export const phaseNames = ["queue", "load", "compile", "instantiate", "run", "wait"] as const;
export type PhaseName = (typeof phaseNames)[number];
/** Milliseconds; what did not take place is absent. */
export type Phases = { readonly [phase in PhaseName]?: number };

/** Null where the text is no head of an HTTP/1 answer. */
export function statusOf(head: string): number | null {
  if (!head.startsWith("HTTP/1.")) return null;
  const status = Number(head.slice(9, 12));
  return status >= 100 && status <= 999 ? status : null;
}

/** The first field of that name; null where there is none. */
export function headerOf(head: string, name: string): string | null {
  const lower = head.toLowerCase();
  const at = lower.indexOf(`\r\n${name}:`);
  if (at === -1) return null;
  const from = at + name.length + 3;
  const end = head.indexOf("\r\n", from);
  return head.slice(from, end === -1 ? undefined : end).trim();
}

/** Server-Timing as the host writes it: `queue;dur=0.120, run;dur=0.031`. */
export function phasesOf(head: string): Phases {
  const phases: { [phase in PhaseName]?: number } = {};
  for (const entry of (headerOf(head, "server-timing") ?? "").split(",")) {
    const [, name = "", ms = ""] = /^\s*([a-z]+)\s*;\s*dur=([\d.]+)/.exec(entry) ?? [];
    const phase = phaseNames.find((known) => known === name);
    if (phase !== undefined && Number.isFinite(Number(ms))) phases[phase] = Number(ms);
  }
  return phases;
}
