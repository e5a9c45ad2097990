// Whether Mayfly leads each peer that isolates each call, on throughput and on first calls: decided by the
// spread of the ratios over the rounds, said in a sentence each. Where it does not lead, the sentence says by
// how much, and what the peer does without.

import {
  isolates,
  type Measured,
  mayflyName,
  mayflyRestartedName,
  type Report,
  type Samples,
} from "./report.ts";
import { ratioOf, type Spread, spreadText } from "./spread.ts";

/** By the whole spread: above one in every round, below one in every round, or neither. */
export type Standing = "leads" | "level" | "behind";

export type Verdict = {
  readonly peer: string;
  readonly measure: "throughput" | "first calls" | "first calls, nothing compiled";
  readonly standing: Standing;
  /** How many times better Mayfly is. */
  readonly ratio: Spread;
  readonly doesWithout: string;
};

export function standingOf({ least, most }: Spread): Standing {
  if (least > 1) return "leads";
  return most < 1 ? "behind" : "level";
}

/** How many times Mayfly's calls per second are a peer's, and a peer's first call is as long as Mayfly's. */
export const throughputRatio = (mayfly: Samples, peer: Samples): Spread =>
  ratioOf(mayfly.callsPerSecond, peer.callsPerSecond);
export const firstCallRatio = (mayfly: Samples, peer: Samples): Spread =>
  ratioOf(peer.coldP50Ms, mayfly.coldP50Ms);

/**
 * The verdicts on each peer that isolates each call: on throughput and first calls, and on those of a Mayfly
 * that was restarted, where it was measured. None when Mayfly itself was not.
 */
export function verdictsOf({ measured }: Report): Verdict[] {
  const samplesOf = (row: string): Samples | undefined =>
    measured.find(({ peer }) => peer.name === row)?.samples;
  const [mayfly, restarted] = [samplesOf(mayflyName), samplesOf(mayflyRestartedName)];
  if (mayfly === undefined) return [];
  return measured.filter(isRival).flatMap(({ peer: { name, doesWithout }, samples }) => {
    const verdict = (measure: Verdict["measure"], ratio: Spread): Verdict => ({
      ...{ peer: name, measure, standing: standingOf(ratio), ratio, doesWithout },
    });
    return [
      verdict("throughput", throughputRatio(mayfly, samples)),
      verdict("first calls", firstCallRatio(mayfly, samples)),
      ...(restarted === undefined
        ? []
        : [verdict("first calls, nothing compiled", firstCallRatio(restarted, samples))]),
    ];
  });
}

const isRival = ({ peer }: Measured): boolean =>
  isolates(peer) && peer.name !== mayflyName && peer.name !== mayflyRestartedName;

/** The paragraphs on one measure. */
export function verdictText(verdicts: readonly Verdict[], measure: Verdict["measure"]): string {
  const all = verdicts.filter((verdict) => verdict.measure === measure);
  if (all.length === 0) return "No peer that isolates each call was measured.";
  const by = (standing: Standing): Verdict[] => all.filter((verdict) => verdict.standing === standing);
  const lines: string[] = [];
  const led = by("leads");
  if (led.length === all.length) lines.push(`Mayfly leads all ${all.length} peers that isolate each call:`);
  else lines.push(`Mayfly leads ${led.length} of the ${all.length} peers that isolate each call:`);
  lines.push("");
  for (const { peer, ratio } of led) lines.push(`- ${peer}: Mayfly is ${spreadText(ratio)} times as good.`);
  for (const { peer, ratio } of by("level")) {
    lines.push(`- ${peer}: no difference beyond the spread; Mayfly is ${spreadText(ratio)} times as good.`);
  }
  for (const { peer, ratio, doesWithout } of by("behind")) {
    lines.push(
      `- ${peer}: **Mayfly does not lead**, the peer is ${spreadText(inverse(ratio))} times as good. Why: it ${doesWithout}.`,
    );
  }
  return lines.join("\n");
}

function inverse({ median, least, most }: Spread): Spread {
  return { median: 1 / median, least: 1 / most, most: 1 / least };
}
