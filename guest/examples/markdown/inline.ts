// The inside of a paragraph: code, emphasis, links, images, line breaks. The text is cut into
// pieces of HTML; runs of emphasis marks and opening brackets are pieces that are decided later.

import { pairRuns, Run } from "./emphasis";
import { escapeHtml, isPunctuation, isSpace } from "./escape";
import { runOf } from "./lines";
import { isSafeUrl, readTarget } from "./link";

const LINE_FEED = 0x0a;
const BANG = 0x21;
const STAR = 0x2a;
const LESS = 0x3c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const UNDERSCORE = 0x5f;
const BACKTICK = 0x60;
const TILDE = 0x7e;

// A longer address in angle brackets is taken as text.
const AUTOLINK_MAX = 2048;

/** The HTML of a paragraph's text. */
export function renderInline(text: string): string {
  return new InlineParser(text).parse();
}

/** A `[` or `![` that may turn out to begin a link or an image. */
class Bracket {
  piece: i32;
  run: i32;
  isImage: bool;
  isActive: bool = true;

  constructor(piece: i32, run: i32, isImage: bool) {
    this.piece = piece;
    this.run = run;
    this.isImage = isImage;
  }
}

class InlineParser {
  private text: string;
  private at: i32 = 0;
  private plain: i32 = 0;
  private pieces: string[] = [];
  private runs: Run[] = [];
  // The pieces of runs, by index; what a run becomes is known when it is paired.
  private runPieces: Run[] = [];
  private brackets: Bracket[] = [];
  // Lengths of backtick runs that nothing closes from here on: searching again would be in vain.
  private unclosed: StaticArray<bool> = new StaticArray<bool>(64);

  constructor(text: string) {
    this.text = text;
  }

  parse(): string {
    while (this.at < this.text.length) this.step(this.text.charCodeAt(this.at));
    this.flush(this.at);
    this.settle(0, 0);
    return this.pieces.join("");
  }

  // Units, not characters: in AssemblyScript each charAt makes a string.
  private step(unit: i32): void {
    if (unit === BACKSLASH) this.escape();
    else if (unit === BACKTICK) this.code();
    else if (unit === STAR || unit === UNDERSCORE || unit === TILDE) this.run(String.fromCharCode(unit));
    else if (unit === OPEN_BRACKET) this.open(false, 1);
    else if (unit === BANG && this.text.charAt(this.at + 1) === "[") this.open(true, 2);
    else if (unit === CLOSE_BRACKET) this.close();
    else if (unit === LESS) this.autolink();
    else if (unit === LINE_FEED) this.lineBreak();
    else this.at++;
  }

  /** Adds what was passed over as text. */
  private flush(end: i32): void {
    if (end > this.plain) this.pieces.push(escapeHtml(this.text.substring(this.plain, end)));
  }

  /** Adds a piece for the text up to `end`, which is thereby done. */
  private add(html: string, end: i32): void {
    this.flush(this.at);
    this.pieces.push(html);
    this.at = end;
    this.plain = end;
  }

  private escape(): void {
    const next = this.at + 1;
    if (next < this.text.length && this.text.charAt(next) === "\n") {
      this.add("<br>\n", next + 1);
    } else if (next < this.text.length && isPunctuation(this.text.charCodeAt(next))) {
      this.add(escapeHtml(this.text.charAt(next)), next + 1);
    } else {
      this.at++;
    }
  }

  private code(): void {
    const length = runOf(this.text, this.at);
    const start = this.at + length;
    const close =
      length < this.unclosed.length && !this.unclosed[length] ? this.closingTicks(start, length) : -1;
    if (close < 0) {
      if (length < this.unclosed.length) this.unclosed[length] = true;
      this.at = start;
      return;
    }
    let code = this.text.substring(start, close).split("\n").join(" ");
    // A space at both ends makes room for backticks of the code's own.
    if (code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "")
      code = code.substring(1, code.length - 1);
    this.add("<code>" + escapeHtml(code) + "</code>", close + length);
  }

  private closingTicks(at: i32, length: i32): i32 {
    while (at < this.text.length) {
      at = this.text.indexOf("`", at);
      if (at < 0) return -1;
      const found = runOf(this.text, at);
      if (found === length) return at;
      at += found;
    }
    return -1;
  }

  private run(mark: string): void {
    const count = runOf(this.text, this.at);
    const end = this.at + count;
    const before = this.at > 0 ? this.text.charCodeAt(this.at - 1) : 0x20;
    const after = end < this.text.length ? this.text.charCodeAt(end) : 0x20;
    this.flush(this.at);
    const run = new Run(mark, count, this.pieces.length, before, after);
    this.runs.push(run);
    this.runPieces.push(run);
    this.pieces.push("");
    this.at = end;
    this.plain = end;
  }

  private open(isImage: bool, length: i32): void {
    this.flush(this.at);
    this.brackets.push(new Bracket(this.pieces.length, this.runs.length, isImage));
    this.plain = this.at;
    this.add(isImage ? "![" : "[", this.at + length);
  }

  private close(): void {
    if (this.brackets.length === 0) {
      this.at++;
      return;
    }
    const bracket = this.brackets.pop();
    const target = bracket.isActive ? readTarget(this.text, this.at + 1) : null;
    if (target === null) {
      this.at++;
      return;
    }
    this.flush(this.at);
    this.settle(bracket.run, bracket.piece);
    const content = this.pieces.slice(bracket.piece + 1).join("");
    this.pieces.length = bracket.piece;
    this.plain = this.at;
    const title = target.title === "" ? "" : ' title="' + escapeHtml(target.title) + '"';
    const url = escapeHtml(target.url.split(" ").join("%20"));
    if (!isSafeUrl(target.url)) this.add(content, target.end);
    else if (bracket.isImage)
      this.add('<img src="' + url + '" alt="' + withoutTags(content) + '"' + title + ">", target.end);
    else this.add('<a href="' + url + '"' + title + ">" + content + "</a>", target.end);
    if (bracket.isImage) return;
    // No link may hold another.
    for (let i = 0; i < this.brackets.length; i++)
      if (!this.brackets[i].isImage) this.brackets[i].isActive = false;
  }

  /** Pairs the runs from one on and writes what became of them into their pieces. */
  private settle(run: i32, piece: i32): void {
    pairRuns(this.runs, run);
    while (this.runPieces.length > 0 && this.runPieces[this.runPieces.length - 1].piece >= piece) {
      const settled = this.runPieces.pop();
      this.pieces[settled.piece] = settled.html;
    }
  }

  /** `<https://example.com>` and `<ada@example.com>`; any other `<` is text. */
  private autolink(): void {
    const url = this.bracketed();
    const end = this.at + 1 + url.length;
    const isWeb = url.startsWith("https://") || url.startsWith("http://");
    const isMail = !isWeb && url.indexOf("@") > 0 && url.indexOf(":") < 0 && url.indexOf("/") < 0;
    if (!isWeb && !isMail) {
      this.at++;
      return;
    }
    const shown = escapeHtml(url);
    this.add('<a href="' + (isMail ? "mailto:" : "") + shown + '">' + shown + "</a>", end + 1);
  }

  /** What stands between `<` and `>`; empty when there is a space or another `<` in it. */
  private bracketed(): string {
    const last = min(this.text.length, this.at + AUTOLINK_MAX);
    for (let i = this.at + 1; i < last; i++) {
      const unit = this.text.charCodeAt(i);
      if (unit === 0x3e) return this.text.substring(this.at + 1, i);
      if (unit === LESS || isSpace(unit)) return "";
    }
    return "";
  }

  /** Two spaces before a line's end break the line; other spaces there mean nothing. */
  private lineBreak(): void {
    let end = this.at;
    while (end > this.plain && this.text.charAt(end - 1) === " ") end--;
    const next = this.at + 1;
    const hard = this.at - end >= 2;
    this.flush(end);
    this.plain = this.at;
    this.add(hard ? "<br>\n" : "\n", next);
  }
}

/** HTML without its tags: every `<` of the text itself is escaped. */
function withoutTags(html: string): string {
  const parts = html.split("<");
  for (let i = 1; i < parts.length; i++) parts[i] = parts[i].substring(parts[i].indexOf(">") + 1);
  return parts.join("");
}
