// The options that all of bench's commands take, and the readers of their numbers. Pure.

import { readPair } from "../arguments.ts";
import type { FunctionConfig } from "../client.ts";
import { type CommandOption, listOption, type OptionValues, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { changeSettings } from "../function-settings.ts";

export const sharedOptions: readonly CommandOption[] = [
  { flags: "-p, --path <path>", meaning: "path and query to call (default /)" },
  { flags: "-X, --request <method>", meaning: "the method (default GET, with -d POST)" },
  { flags: "-d, --data <data>", meaning: "the body; @file or @- sends the bytes of a file or of stdin" },
  { flags: "-H, --header <header>", meaning: "a header as 'Name: value'", repeatable: true },
  {
    flags: "--config <key=value>",
    meaning: "a setting of what bench deploys, as mayfly config takes it",
    repeatable: true,
  },
  { flags: "--files <folder>", meaning: "what bench deploys carries the files of a folder" },
  { flags: "--html <file>", meaning: "write one page with plots" },
];

export type NumberOption = CommandOption & {
  /** The long flag's name in camel case. */
  readonly key: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Whether fractions are taken. */
  readonly fraction?: boolean;
};

/** `--copies <n>` with its default in the help. */
export function numberOption(
  key: string,
  meaning: string,
  bounds: {
    readonly default: number;
    readonly min: number;
    readonly max: number;
    readonly fraction?: boolean;
  },
): NumberOption {
  const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { key, flags: `--${flag} <n>`, meaning: `${meaning} (default ${bounds.default})`, ...bounds };
}

export function readNumber(options: OptionValues, option: NumberOption): number {
  const text = textOption(options, option.key);
  if (text === undefined) return option.default;
  const form = option.fraction === true ? /^\d{1,9}(\.\d{1,6})?$/ : /^\d{1,9}$/;
  const value = Number(text);
  if (form.test(text) && value >= option.min && value <= option.max) return value;
  const kind = option.fraction === true ? "a number" : "a whole number";
  const flag = option.flags.split(" ")[0] ?? "";
  throw new WrongUsage(
    `${flag} is ${JSON.stringify(text)}, want ${kind} from ${option.min} to ${option.max}, such as ${flag} ${option.default}`,
  );
}

/** `10%` as 0.1. */
export function readPercent(text: string, flag: string): number {
  const number = /^(\d{1,4}(?:\.\d{1,3})?)%$/.exec(text)?.[1];
  if (number !== undefined) return Number(number) / 100;
  throw new WrongUsage(`${flag} is ${JSON.stringify(text)}, want a share such as ${flag} 10%`);
}

/** The settings of --config upon those of `before`; null where there are none of either. */
export function readSettings(options: OptionValues, before: FunctionConfig | null): FunctionConfig | null {
  const pairs = listOption(options, "config").map(readPair);
  if (pairs.length === 0) return before;
  return changeSettings(
    before ?? {},
    pairs.map(([key, value]) => ({ kind: "set", key, value })),
  );
}
