// Hands the commands to commander: parsing, --help, "did you mean". Called by `main.ts` once per
// run. It prints nothing but help; faults come out as WrongUsage with the failing command's hint.

import { Command, CommanderError } from "commander";
import { defaultNamespace } from "../namespace.ts";
import { packageVersion } from "../package-version.ts";
import { hostUrlDefault, readHostUrl, readNamespace, readToken } from "./arguments.ts";
import { createClient } from "./client.ts";
import {
  type CommandContext,
  type CommandGroup,
  type CommandSpec,
  type OptionValues,
  textOption,
} from "./command.ts";
import { exitCodes, WrongUsage } from "./failure.ts";
import type { HostModules } from "./host-modules.ts";
import type { CliIo } from "./io.ts";
import { createOutput, type UsageHint } from "./output.ts";

export type Run = {
  readonly io: CliIo;
  readonly modules: HostModules;
  /** The hint of the command that is being run or was called wrongly. */
  hint: UsageHint;
  /** Whether failures are to be JSON; null until the arguments could be parsed. */
  json: boolean | null;
};

const programHint: UsageHint = {
  usage: "mayfly COMMAND ...; mayfly help lists the commands",
  example: "mayfly serve",
};

export function createRun(io: CliIo, modules: HostModules): Run {
  return { io, modules, hint: programHint, json: null };
}

/** Returns the exit code; throws WrongUsage or what the command throws. */
export async function runProgram(
  argv: readonly string[],
  commands: readonly (CommandSpec | CommandGroup)[],
  run: Run,
): Promise<number> {
  let exitCode: number = exitCodes.done;
  let group: CommandGroup | null = null;
  const program = new Command("mayfly")
    .description("A function host for WebAssembly: upload a module, get an HTTP endpoint")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(helpWriters(run, () => programHint));
  addSharedOptions(program, true);
  const define = (parent: Command, spec: CommandSpec, words: string): void => {
    const command = defineCommand(parent, spec, words, run);
    command.action(async () => {
      run.hint = hintOf(spec, words);
      const options = { ...program.opts(), ...command.opts() };
      run.json = options["json"] === true;
      exitCode = await spec.run(command.args, contextOf(run, options));
    });
  };
  for (const spec of commands) {
    if (!("commands" in spec)) {
      define(program, spec, spec.name);
      continue;
    }
    const parent = defineGroup(program, spec, run, () => {
      group = spec;
    });
    for (const each of spec.commands) define(parent, each, `${spec.name} ${each.name}`);
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.done;
    if (error.code !== "commander.help") throw new WrongUsage(usageMessage(error));
    const called: CommandGroup | null = group;
    const words = called === null ? "a command" : `what to ${(called as CommandGroup).name}`;
    const known = called === null ? commands : (called as CommandGroup).commands;
    throw new WrongUsage(`Name ${words}: ${known.map(({ name }) => name).join(", ")}`);
  }
  return exitCode;
}

/** `onWrong` is called when none of its commands was named. */
function defineGroup(program: Command, group: CommandGroup, run: Run, onWrong: () => void): Command {
  const hint = (): UsageHint => {
    onWrong();
    return { usage: `mayfly ${group.name} COMMAND ...`, example: group.examples[0] };
  };
  return program
    .command(group.name)
    .summary(group.summary)
    .description(group.summary)
    .helpCommand("help [command]", "print the help of a command")
    .configureOutput(helpWriters(run, hint))
    .addHelpText("after", helpAfter(group));
}

/** `words` are what calls it: `bench cold`. */
function defineCommand(parent: Command, spec: CommandSpec, words: string, run: Run): Command {
  const command = parent
    .command(`${spec.name} ${spec.args}`.trim())
    .summary(spec.summary)
    .description(spec.summary)
    .configureOutput(helpWriters(run, () => hintOf(spec, words)));
  for (const { flags, meaning, repeatable } of spec.options) {
    if (repeatable === true) command.option(flags, meaning, appended);
    else command.option(flags, meaning);
  }
  addSharedOptions(command, spec.usesHost, spec.jsonFile);
  command.addHelpText("after", helpAfter(spec));
  return command;
}

function addSharedOptions(command: Command, usesHost: CommandSpec["usesHost"], jsonFile = false): void {
  if (usesHost !== false) {
    const without = usesHost === "orOwn" ? "without it a host is started" : `default ${hostUrlDefault}`;
    command.option("--url <url>", `the host's address (MAYFLY_URL, ${without})`);
    command.option("--token <token>", "the host's token, or one that it has made (MAYFLY_TOKEN)");
    command.option("--namespace <name>", `the namespace (MAYFLY_NAMESPACE, default ${defaultNamespace})`);
  }
  if (jsonFile) command.option("--json [file]", "write everything as JSON; without a file, to stdout alone");
  else command.option("--json", "print machine-readable output, errors too");
}

function contextOf(run: Run, options: OptionValues): CommandContext {
  const { io, modules } = run;
  const hostUrl = (): URL => {
    const flag = textOption(options, "url");
    return readHostUrl(
      flag ?? io.env.MAYFLY_URL ?? hostUrlDefault,
      flag === undefined ? "MAYFLY_URL" : "--url",
    );
  };
  const token = (): string | null => {
    const flag = textOption(options, "token");
    const text = flag ?? io.env.MAYFLY_TOKEN;
    return text === undefined ? null : readToken(text, flag === undefined ? "MAYFLY_TOKEN" : "--token");
  };
  const namespace = (): string => {
    const name = textOption(options, "namespace") ?? io.env.MAYFLY_NAMESPACE ?? defaultNamespace;
    return readNamespace(name);
  };
  return {
    io,
    modules,
    options,
    hostUrl,
    token,
    namespace,
    output: createOutput(io, options.json === true),
    client: () => createClient(hostUrl(), token(), namespace()),
  };
}

/** Commander's own error text is dropped: the failure is printed once, by `main.ts`. */
function helpWriters(run: Run, hint: () => UsageHint) {
  const note = (): void => {
    run.hint = hint();
  };
  return {
    writeOut: (text: string) => void run.io.stdout.write(text),
    // The help of a command that was called without the one it needs.
    writeErr: note,
    outputError: note,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  };
}

function hintOf(spec: CommandSpec, words: string): UsageHint {
  const options = spec.options.map(({ flags, repeatable }) => {
    const shortest = flags.split(", ")[0] ?? flags;
    const value = /<.*>/.exec(flags)?.[0] ?? "";
    const word = shortest.includes("<") || value === "" ? shortest : `${shortest} ${value}`;
    return `[${word}]${repeatable === true ? "..." : ""}`;
  });
  const usage = ["mayfly", words, spec.args, ...options].filter((word) => word !== "").join(" ");
  return { usage, example: spec.examples[0] };
}

function helpAfter(spec: CommandSpec | CommandGroup): string {
  const notes = spec.notes === undefined ? "" : `\n${spec.notes}\n`;
  const examples = spec.examples.map((example) => `  ${example}`).join("\n");
  return `${notes}\nExamples:\n${examples}`;
}

function usageMessage(error: CommanderError): string {
  const text = error.message.replace(/^error: /, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function appended(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
