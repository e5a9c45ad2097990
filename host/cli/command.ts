// What a command of the command line is: its words, its options and what it does. Each file of
// commands/ exports one; `program.ts` hands them to commander. The readers of option values are
// here too, because commander gives them untyped.

import type { HostClient } from "./client.ts";
import { WrongUsage } from "./failure.ts";
import type { HostModules } from "./host-modules.ts";
import type { CliIo } from "./io.ts";
import type { Output } from "./output.ts";

export type CommandOption = {
  /** In commander's form: `-o, --output <file>`. */
  readonly flags: string;
  readonly meaning: string;
  /** May be given more than once; the values are kept in order. */
  readonly repeatable?: boolean;
};

export type CommandContext = {
  readonly io: CliIo;
  readonly output: Output;
  readonly modules: HostModules;
  /** The host that --url or MAYFLY_URL names, with the token. */
  readonly client: () => HostClient;
  /** The same host's address, for calls that carry no token. */
  readonly hostUrl: () => URL;
  /** The token of its control plane, if there is one. */
  readonly token: () => string | null;
  readonly namespace: () => string;
  readonly options: OptionValues;
};

export type CommandSpec = {
  readonly name: string;
  /** In commander's form: `<name> [path]`. */
  readonly args: string;
  readonly summary: string;
  /** Shown in --help and with a wrong call; the first one with the latter. */
  readonly examples: readonly [string, ...string[]];
  /** Shown in --help after the options. */
  readonly notes?: string;
  readonly options: readonly CommandOption[];
  /** Whether it talks to a host, and so takes --url and --token; `orOwn`: without --url it starts one. */
  readonly usesHost: boolean | "orOwn";
  /** Whether --json may name a file, which leaves the text where it is. */
  readonly jsonFile?: boolean;
  /** Returns the exit code; a failure is thrown. */
  readonly run: (args: readonly string[], context: CommandContext) => Promise<number>;
};

/** A word with commands of its own: `mayfly bench cold`. */
export type CommandGroup = {
  readonly name: string;
  readonly summary: string;
  readonly examples: readonly [string, ...string[]];
  readonly notes?: string;
  readonly commands: readonly CommandSpec[];
};

/** Option values by the long flag's name in camel case. */
export type OptionValues = Readonly<Record<string, unknown>>;

export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

export function listOption(options: OptionValues, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function flagOption(options: OptionValues, name: string): boolean {
  return options[name] === true;
}

/** The argument at `index`, which commander has made sure of. */
export function requiredArgument(args: readonly string[], index: number): string {
  const value = args[index];
  if (value === undefined) throw new WrongUsage(`Argument ${index + 1} is missing`);
  return value;
}
