// `mayfly rollback NAME [VERSION]`: makes a kept version live again; without one, ends a canary or goes
// back to the version before.

import { readAlias, readFunctionName, readVersion } from "../arguments.ts";
import { type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { terminalLine } from "../terminal-text.ts";

export const rollbackCommand: CommandSpec = {
  name: "rollback",
  args: "<name> [version]",
  summary: "make an earlier version live again",
  examples: ["mayfly rollback hello 2", "mayfly rollback hello"],
  notes: "Without VERSION it ends a canary, or goes back to the version that was live before.",
  options: [{ flags: "--alias <alias>", meaning: "an alias other than live" }],
  usesHost: true,
  async run(args, { client, options, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const version = args[1] === undefined ? null : readVersion(args[1]);
    const alias = readAlias(textOption(options, "alias"));
    const record = await client().rollback(name, version, alias);
    output.value(record);
    const what = alias === "live" ? "live" : `what ${terminalLine(alias)} leads to`;
    output.line(`${name} v${record.version ?? version} is ${what}`);
    return 0;
  },
};
