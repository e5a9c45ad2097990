// `mayfly remove NAME`: deletes a function with all its versions. It asks nothing.

import { readFunctionName } from "../arguments.ts";
import { type CommandSpec, requiredArgument } from "../command.ts";

export const removeCommand: CommandSpec = {
  name: "remove",
  args: "<name>",
  summary: "delete a function and all its versions",
  examples: ["mayfly remove hello"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    await client().remove(name);
    output.value({ removed: name });
    output.line(`Removed ${name}`);
    return 0;
  },
};
