// `mayfly init DIR`: a new function's folder, made by build/init.ts. It installs nothing.

import { basename, relative, resolve } from "node:path";
import { suggestedName } from "../arguments.ts";
import { type CommandSpec, requiredArgument } from "../command.ts";

export const initCommand: CommandSpec = {
  name: "init",
  args: "<dir>",
  summary: "make a folder with a first function",
  examples: ["mayfly init hello"],
  options: [],
  usesHost: false,
  async run(args, { io, output, modules }) {
    const dir = resolve(io.cwd, requiredArgument(args, 0));
    const { files } = await modules.initProject(dir);
    output.value({ dir, files });
    const shown = (path: string): string => relative(io.cwd, resolve(dir, path));
    const isOwn = (file: string): boolean => !file.includes("/") || !file.startsWith(".");
    for (const file of files.filter(isOwn)) output.line(`Made ${shown(file)}`);
    for (const folder of new Set(
      files.filter((file) => !isOwn(file)).map((file) => file.split("/")[0] ?? ""),
    )) {
      output.line(`Made ${shown(folder)}/ (for the editor)`);
    }
    const source = files.find((file) => isOwn(file) && file.endsWith(".ts") && !/\.(d|test)\.ts$/.test(file));
    if (source === undefined) return 0;
    const path = shown(source);
    const name = suggestedName(basename(dir)) ?? "hello";
    output.line("");
    output.line("Next:");
    const steps: [command: string, meaning: string][] = [
      ["mayfly serve", "start a host"],
      [`mayfly dev ${path} ${name}`, "in another terminal: deploy at every save"],
      [`mayfly invoke ${name}`, "call it"],
    ];
    const width = Math.max(...steps.map(([command]) => command.length));
    for (const [command, meaning] of steps) output.line(`  ${command.padEnd(width)}  ${meaning}`);
    return 0;
  },
};
