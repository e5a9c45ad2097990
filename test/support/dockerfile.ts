// What a Dockerfile says, instruction by instruction.

import { DockerfileParser } from "dockerfile-ast";

export type DockerInstruction = {
  /** In capitals. */
  readonly keyword: string;
  /** What follows it, on one line. */
  readonly rest: string;
};

/** The instructions of each stage, in order. */
export function instructionsOf(text: string): DockerInstruction[][] {
  const lines = text.split("\n");
  const stages: DockerInstruction[][] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    const { start, end } = instruction.getRange();
    const [first = "", ...others] = lines.slice(start.line, end.line + 1);
    const rest = [first.slice(start.character + keyword.length), ...others].join("\n");
    if (keyword === "FROM") stages.push([]);
    stages.at(-1)?.push({ keyword, rest: rest.replace(/\\\n\s*/g, "").trim() });
  }
  return stages;
}

/** An instruction's exec form; throws for its shell form. */
export function jsonOf(rest: string): string[] {
  return JSON.parse(rest) as string[];
}
