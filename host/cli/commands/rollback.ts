// `mayfly rollback NAME VERSION`: makes a kept version live again.

import { readFunctionName } from "../arguments.ts";
import { type CommandSpec, requiredArgument } from "../command.ts";
import { WrongUsage } from "../failure.ts";

export const rollbackCommand: CommandSpec = {
  name: "rollback",
  args: "<name> <version>",
  summary: "make an earlier version live again",
  examples: ["mayfly rollback hello 2"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const version = readVersion(requiredArgument(args, 1));
    const answer = await client().rollback(name, version);
    output.value(answer ?? { name, version });
    output.line(`${name} v${version} is live`);
    return 0;
  },
};

/** `2` or `v2`. */
function readVersion(text: string): number {
  const digits = /^v?([1-9]\d{0,8})$/.exec(text)?.[1];
  if (digits === undefined) {
    throw new WrongUsage(`Cannot read ${JSON.stringify(text)} as a version, want a number such as 2`);
  }
  return Number(digits);
}
