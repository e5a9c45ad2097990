// When a schedule is due: cron expressions in a time zone, and what becomes of the instants that pass while
// nobody looks. Pure functions of times; croner reads the expressions.

import { Cron } from "croner";
import { HostError } from "../errors.ts";

/** What becomes of instants that passed while the host was not there: none, the last one, or all up to a bound. */
export type MissedPolicy = "skip" | "once" | "all";

export type Schedule = {
  /** Five fields, or six with seconds first; names, ranges, steps, `L`, `W`, `#` and `@daily` as croner has them. */
  readonly cron: string;
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
  readonly missed: MissedPolicy;
};

/** An instant that is found due so late is one that was missed, ms. */
const onTimeMs = 60_000;

/** Expressions that were read, the least recently used first. */
const crons = new Map<string, Cron>();
const cronsMax = 2_000;

/** Throws `invalid_trigger` when the expression or the time zone is none, or never comes after `nowMs`. */
export function assertSchedule(schedule: Schedule, nowMs: number): void {
  assertTimeZone(schedule.timeZone);
  let next: number | null;
  try {
    next = nextInstant(schedule, nowMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HostError(
      "invalid_trigger",
      `Cannot read the cron expression ${JSON.stringify(schedule.cron.slice(0, 100))}: ${reason}`,
      { cause: error },
    );
  }
  if (next === null) {
    throw new HostError(
      "invalid_trigger",
      `The cron expression ${JSON.stringify(schedule.cron.slice(0, 100))} never comes`,
    );
  }
}

/** The first instant after a time, Unix ms; null when there is none. */
export function nextInstant(schedule: Schedule, afterMs: number): number | null {
  return cronOf(schedule).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/**
 * The instants in (`afterMs`, `nowMs`] that are to be acted on, in order: those that are on time, and of
 * those that were missed what the policy says, at most the last `missedMax`.
 */
export function dueInstants(schedule: Schedule, afterMs: number, nowMs: number, missedMax: number): number[] {
  const wanted = schedule.missed === "all" ? missedMax : schedule.missed === "once" ? 1 : 0;
  const lateMs = nowMs - onTimeMs;
  const missed = afterMs < lateMs ? lastInstants(schedule, afterMs, lateMs, wanted) : [];
  const onTime: number[] = [];
  for (let next = nextInstant(schedule, Math.max(afterMs, lateMs)); next !== null && next <= nowMs; ) {
    onTime.push(next);
    next = nextInstant(schedule, next);
  }
  // The one that was missed last stands for those before it; one that is on time does so as well.
  return schedule.missed === "once" && onTime.length > 0 ? onTime : [...missed, ...onTime];
}

/** The last `count` instants in (`afterMs`, `untilMs`], in order. */
function lastInstants(schedule: Schedule, afterMs: number, untilMs: number, count: number): number[] {
  const found: number[] = [];
  // Looks back from the next millisecond: an instant at `untilMs` is one of them.
  for (let beforeMs = untilMs + 1; found.length < count; ) {
    const [last] = cronOf(schedule).previousRuns(1, new Date(beforeMs));
    if (last === undefined || last.getTime() <= afterMs) break;
    beforeMs = last.getTime();
    found.push(beforeMs);
  }
  return found.reverse();
}

function cronOf({ cron, timeZone }: Schedule): Cron {
  const key = `${timeZone} ${cron}`;
  const known = crons.get(key);
  if (known !== undefined) return known;
  const made = new Cron(cron, { timezone: timeZone, paused: true });
  const [oldest] = crons.keys();
  if (crons.size >= cronsMax && oldest !== undefined) crons.delete(oldest);
  crons.set(key, made);
  return made;
}

function assertTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (error) {
    throw new HostError(
      "invalid_trigger",
      `There is no time zone ${JSON.stringify(timeZone.slice(0, 80))}, want a name such as Europe/Zurich or UTC`,
      { cause: error },
    );
  }
}
