// Who is to blame when the host process died: a pure function of what held a thread at that moment,
// who was a suspect before, and how often a version was the only one (docs/architecture.md, quarantine).

export type CrashEvidence = {
  /** Ids of the versions that held a thread when the process died. */
  readonly running: readonly number[];
  /** Suspects of earlier crashes that have not been cleared. */
  readonly suspects: ReadonlySet<number>;
  /** Crashes within the window in which a version was the only suspect. */
  readonly crashesAsOnlySuspect: (versionId: number) => number;
  readonly crashesMax: number;
};

export type CrashVerdict = {
  readonly suspects: readonly number[];
  readonly only: number | null;
  readonly quarantine: boolean;
};

/**
 * No two suspects run together, so a former suspect that ran again at this crash is the only one;
 * those that merely ran beside it are not held against it.
 */
export function judgeCrash(evidence: CrashEvidence): CrashVerdict {
  const former = evidence.running.filter((id) => evidence.suspects.has(id));
  const suspects = former.length > 0 ? former : evidence.running;
  const [first] = suspects;
  const only = suspects.length === 1 && first !== undefined ? first : null;
  const quarantine = only !== null && evidence.crashesAsOnlySuspect(only) + 1 >= evidence.crashesMax;
  return { suspects, only, quarantine };
}
