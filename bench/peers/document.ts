// docs/benchmarks.md from a report: nothing in it is written by hand but the words around the figures.

import { median, percentile } from "../statistics.ts";
import { plots } from "./plots.ts";
import { type Measured, mayflyName, type Report } from "./report.ts";
import { type Spread, short, spreadText, unrest, withSpread } from "./spread.ts";
import { firstCallRatio, throughputRatio, type Verdict, verdictsOf, verdictText } from "./verdict.ts";

export function document(report: Report): string {
  const verdicts = verdictsOf(report);
  return [
    `# Mayfly and its peers`,
    `Written by \`npm run bench:peers\`, which measures all of it anew on your machine; please do not edit. The samples are in [samples.json](benchmarks/samples.json).`,
    `Take ratios, not absolutes: the load generator runs beside the servers. A figure is the median of ${report.settings.rounds} rounds, with the least and the most of them in parentheses; a ratio is formed in each round, of figures of that round, and then likewise. Where a ratio's spread has one in it, the difference is within the error of this run.`,
    `## What was measured`,
    settingsText(report),
    machineTable(report),
    `## Results`,
    resultsTable(report),
    unrestText(report),
    `The bare servers run the function as well, in one instance for all calls, and reach it as the peers do: by the plain JavaScript of \`bench/peers/servers/guest-abi.js\`, which is written to be read and not tuned as Mayfly's own is. A bare server that answers the same text from memory is more than twice as fast as Mayfly: \`npm run bench -- throughput\`.`,
    `Mayfly's lead is its calls per second over the peer's, and the peer's first call over Mayfly's: above one, Mayfly is ahead.`,
    ...plots(report).map(({ file, title }) => `![${title}](benchmarks/${file})`),
    `## Does Mayfly lead`,
    `Counted are peers in which each call gets something that no other call had.`,
    `### Throughput`,
    verdictText(verdicts, "throughput"),
    `### First call of a function`,
    `The figures are those of functions that were deployed on the running host: the deploy has compiled them, which most peers do at the first call.`,
    verdictText(verdicts, "first calls"),
    ...restartedText(verdicts),
    `Mayfly pays for what others leave out: each call has limits on wall-clock time, CPU time, memory and concurrency, which end it alone; its code is metered, so that it can be stopped and gives way to others; it goes through routing, admission and a queue; and its answer is checked before any of it is sent.`,
    `## What each one does`,
    peersTable(report),
    ...notMeasuredText(report),
    "",
  ]
    .join("\n\n")
    .trimEnd()
    .concat("\n");
}

function settingsText({ settings }: Report): string {
  const { rounds, connections, warmUpSeconds, loadSeconds, warmCallsMax, warmMsMax, coldCalls } = settings;
  return [
    `- **The function** is \`guest/examples/hello\`: it reads a name from the request and answers with a greeting. Every peer that runs core modules serves the very bytes that Mayfly serves, through the imports of [the ABI](abi.md) in plain JavaScript. Answers are checked before anything is timed: status, type, and the text for two names.`,
    `- **Throughput**: ${connections} connections that each send the next request when they have the answer, ${loadSeconds} s a round, after ${warmUpSeconds} s that do not count.`,
    `- **Warm calls**: one connection, ${warmCallsMax.toLocaleString("en-US")} calls a round or as many as fit into ${warmMsMax / 1000} s.`,
    `- **First calls**: ${coldCalls} functions a round that nobody has called, one call each over an open connection, from request to whole answer. Their modules differ in a byte that is compiled, since V8 shares code between equal bytes. What a first call includes differs, and stands below.`,
    `- All servers are up during the whole run. In each of the ${rounds} rounds every peer has its turn, and every other round goes backwards.`,
  ].join("\n");
}

function machineTable({ machine, date, measured }: Report): string {
  return table(
    ["", ""],
    [
      ["machine", `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB`],
      ["system", machine.system],
      ["date", date],
      ...measured.map(({ peer, version }) => [peer.name, version]),
    ],
  );
}

function resultsTable({ measured, notMeasured }: Report): string {
  const mayfly = measured.find(({ peer }) => peer.name === mayflyName);
  const lead = (row: Measured, ratio: (mayfly: Measured["samples"], peer: Measured["samples"]) => Spread) =>
    mayfly === undefined || row === mayfly ? "" : numbersOnly(ratio(mayfly.samples, row.samples));
  const rows = measured.map((row) => [
    row.peer.name,
    row.peer.newPerCall ?? "nothing",
    withSpread(row.samples.callsPerSecond),
    lead(row, throughputRatio),
    withSpread(row.samples.warmP50Ms),
    withSpread(row.samples.warmP99Ms),
    withSpread(row.samples.coldP50Ms),
    short(percentile(row.samples.coldMs, 90)),
    lead(row, firstCallRatio),
  ]);
  const missing = notMeasured.map(({ peer }) => [
    peer.name,
    peer.newPerCall ?? "nothing",
    "not measured",
    ...Array.from({ length: 6 }, () => ""),
  ]);
  return table(
    [
      "peer",
      "new with each call",
      "calls/s",
      "Mayfly's lead",
      "warm p50 ms",
      "warm p99 ms",
      "first call p50 ms",
      "p90 ms",
      "Mayfly's lead",
    ],
    [...rows, ...missing],
  );
}

/** Nothing where the restarted host was not measured. */
function restartedText(verdicts: readonly Verdict[]): string[] {
  const measure = "first calls, nothing compiled";
  if (!verdicts.some((verdict) => verdict.measure === measure)) return [];
  return [
    `### First call of a function on a host that has just started`,
    `Here Mayfly too compiles at the first call; and before that it checks the module's digest and rewrites the module, so that it can be metered, which no peer does.`,
    verdictText(verdicts, measure),
  ];
}

/** From this share on the figures of one round say little about the next. */
const unrestMax = 0.25;

function unrestText({ measured }: Report): string {
  const shares = measured
    .filter(({ samples }) => samples.callsPerSecond.length > 0)
    .map(({ samples }) => unrest(samples.callsPerSecond));
  if (shares.length === 0) return "No throughput was measured.";
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const found = `The calls per second of one peer differ by ${percent(median(shares))} between its rounds (median of the peers), and by ${percent(Math.max(...shares))} at most.`;
  if (median(shares) <= unrestMax) return found;
  return `${found} **This machine was too noisy** for more than rough ratios: other work ran on it. Run the command again on a machine at rest.`;
}

/** A ratio of nothing measured is empty. */
function numbersOnly(ratio: Spread): string {
  return Number.isFinite(ratio.median) ? spreadText(ratio) : "";
}

function peersTable({ measured, notMeasured }: Report): string {
  return table(
    ["peer", "a first call", "what calls do without"],
    [...measured, ...notMeasured].map(({ peer }) => [peer.name, peer.firstCall, peer.doesWithout]),
  );
}

function notMeasuredText({ notMeasured }: Report): string[] {
  if (notMeasured.length === 0) return [];
  return [`## Not measured`, notMeasured.map(({ peer, reason }) => `- ${peer.name}: ${reason}.`).join("\n")];
}

/** A Markdown table, its columns padded to one width. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const lineOf = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [first = [], ...others] = cells;
  return [lineOf(first), lineOf(widths.map((width) => "-".repeat(width))), ...others.map(lineOf)].join("\n");
}
