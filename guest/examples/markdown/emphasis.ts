// Emphasis: runs of `*`, `_` and `~~`, and which of them belong together. This is the algorithm of
// the CommonMark specification ("process emphasis"), which never looks at a run more often than
// needed.

import { isPunctuation, isSpace } from "./escape";

/** A run of marks in the text. */
export class Run {
  mark: string;
  count: i32;
  canOpen: bool;
  canClose: bool;
  /** The run's place among the pieces of the line. */
  piece: i32;
  private length: i32;
  private opened: string = "";
  private closed: string = "";

  /** `before` and `after` are the units around the run, a space at the ends of the text. */
  constructor(mark: string, count: i32, piece: i32, before: i32, after: i32) {
    this.mark = mark;
    this.count = count;
    this.length = count;
    this.piece = piece;
    const left = !isSpace(after) && (!isPunctuation(after) || isSpace(before) || isPunctuation(before));
    const right = !isSpace(before) && (!isPunctuation(before) || isSpace(after) || isPunctuation(after));
    // An underscore within a word is part of the word.
    const within = mark === "_";
    this.canOpen = left && (!within || !right || isPunctuation(before));
    this.canClose = right && (!within || !left || isPunctuation(after));
  }

  /** Whether this run may open what the other closes. */
  matches(closer: Run): bool {
    if (!this.canOpen || this.mark !== closer.mark || this.count === 0) return false;
    if (this.mark === "~") return this.count === 2 && closer.count === 2;
    const both = this.canClose || closer.canOpen;
    // "The rule of three": so that *foo**bar*** means what a reader expects.
    return (
      !both || (this.length + closer.length) % 3 !== 0 || (this.length % 3 === 0 && closer.length % 3 === 0)
    );
  }

  /** Wraps all between this run and its closer in a tag. */
  wrap(closer: Run): void {
    const strong = this.count >= 2 && closer.count >= 2;
    const tag = this.mark === "~" ? "del>" : strong ? "strong>" : "em>";
    this.count -= strong ? 2 : 1;
    closer.count -= strong ? 2 : 1;
    this.opened = "<" + tag + this.opened;
    closer.closed += "</" + tag;
  }

  /** The run as HTML: the tags it closes, the marks that are left, the tags it opens. */
  get html(): string {
    return this.closed + this.mark.repeat(this.count) + this.opened;
  }

  /** Where in the table of `pairRuns` to note that nothing opens a run like this. */
  get kind(): i32 {
    const mark = this.mark === "*" ? 0 : this.mark === "_" ? 1 : 2;
    return mark * 6 + (this.canOpen ? 3 : 0) + (this.length % 3);
  }
}

/** Pairs up the runs from `bottom` on and removes them from the list. */
export function pairRuns(runs: Run[], bottom: i32): void {
  const lowest = new StaticArray<i32>(18);
  for (let i = 0; i < lowest.length; i++) lowest[i] = bottom;
  let at = bottom;
  while (at < runs.length) {
    const closer = runs[at];
    if (!closer.canClose || closer.count === 0) {
      at++;
      continue;
    }
    let opener = at - 1;
    while (opener >= lowest[closer.kind] && !runs[opener].matches(closer)) opener--;
    if (opener < lowest[closer.kind]) {
      lowest[closer.kind] = at;
      at++;
      continue;
    }
    runs[opener].wrap(closer);
    // What stands between the two can belong to nothing outside.
    for (let i = opener + 1; i < at; i++) runs[i].canOpen = false;
  }
  runs.length = bottom;
}
