// Which versions' calls are short enough to run on the main thread, learned from how long they took: a
// function of what has been seen, with no clock and no guests of its own.

import { type Deployment, runsOnReset } from "../function.ts";
import { type SetupKey, setupKey } from "../worker/protocol.ts";

/**
 * What a call may hold the main thread, ms. One whose code is cold, as at a few calls a second, takes ten times
 * what it takes under load, and is answered sooner than by a thread that has to be woken all the same
 * (bench/cold-start.ts).
 */
export const shortMs = 0.2;
/** A thread that shares its core with others takes longer for the same call: a try tells. */
const nearlyShortMs = 2 * shortMs;
/** So many calls in a row that came to their end late, after which the next ones run on threads. */
const lateMax = 3;
/**
 * What much later ones held it, ms, less `shortMs` for each call, after which the next ones run on threads:
 * a guest can be long each second time. Of one call no more counts than `holdMsMax`, as the machine may
 * have had others to run.
 */
const holdsMsMax = 12;
const holdMsMax = 5;
/** An instance that takes longer to make is never made on the main thread, be its calls as short as can be; us. */
const newUsMax = 2_000;
/** After each failed try twice as many calls are seen to be short on threads before the next: at most. */
const absenceMax = 4_096;
/** Good calls that make up for one failed try. */
const goodPerStrike = 64;
const versionsMax = 10_000;

type Version = {
  /** Short calls to be seen on threads before one is tried again. */
  absence: number;
  strikes: number;
  late: number;
  /** What late calls held the main thread, ms, and the others have not made up for. */
  holdsMs: number;
  good: number;
};

export class InlinePolicy {
  readonly #versions = new Map<SetupKey, Version>();

  /** Whether a call is worth a try. */
  mayTry(deployment: Deployment): boolean {
    return this.#of(deployment).absence === 0;
  }

  /** A call has come to its end on the main thread, and held it so long. */
  ended(deployment: Deployment, ms: number): void {
    const version = this.#of(deployment);
    version.holdsMs = Math.max(0, version.holdsMs - shortMs);
    if (ms > shortMs) {
      version.late += 1;
      if (ms > lateMax * shortMs) version.holdsMs += Math.min(ms, holdMsMax);
      if (version.late >= lateMax || version.holdsMs >= holdsMsMax) strike(version);
      return;
    }
    version.late = 0;
    version.good += 1;
    if (version.good < goodPerStrike) return;
    version.good = 0;
    version.strikes = Math.max(0, version.strikes - 1);
  }

  /** A call did not come to its end on the main thread, and runs on a thread. */
  gaveUp(deployment: Deployment): void {
    strike(this.#of(deployment));
  }

  /** A call has been answered by a thread, which it held so long; null when it had to wait for something. */
  onThread(deployment: Deployment, ms: number | null): void {
    const version = this.#of(deployment);
    if (ms !== null && ms <= nearlyShortMs) version.absence = Math.max(0, version.absence - 1);
  }

  #of(deployment: Deployment): Version {
    const key = setupKey(deployment.id, deployment.configRevision);
    let version = this.#versions.get(key);
    if (version === undefined) {
      if (this.#versions.size >= versionsMax) this.#versions.clear();
      version = { absence: absenceAtFirst(deployment), strikes: 0, late: 0, holdsMs: 0, good: 0 };
      this.#versions.set(key, version);
    }
    return version;
  }
}

function strike(version: Version): void {
  version.strikes += 1;
  version.late = 0;
  version.holdsMs = 0;
  version.good = 0;
  version.absence = Math.min(2 ** version.strikes, absenceMax);
}

/** What a version's calls do is not known yet; what its instances cost has been measured by the deploy. */
function absenceAtFirst(deployment: Deployment): number {
  const { freshCosts } = deployment;
  if (freshCosts === null) return 1;
  // Also one that is set back has been made once, and again when others took its place.
  if (freshCosts.newUs > newUsMax) return Number.POSITIVE_INFINITY;
  const us = runsOnReset(deployment) ? freshCosts.resetUs : freshCosts.newUs;
  return us !== null && us <= shortMs * 1_000 ? 0 : 1;
}
