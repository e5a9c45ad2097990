// `mayfly logs NAME [-f]`: the recent lines of a function, or those as they come until SIGINT.
// With --json one document, or with -f one JSON line for each. It does not reconnect.

import { readFunctionName } from "../arguments.ts";
import { type CommandSpec, flagOption, requiredArgument } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { formatLogLine } from "../log-line.ts";

export const logsCommand: CommandSpec = {
  name: "logs",
  args: "<name>",
  summary: "print a function's log",
  examples: ["mayfly logs hello", "mayfly logs hello -f"],
  options: [{ flags: "-f, --follow", meaning: "keep printing new lines until Ctrl-C" }],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const host = client();
    if (!flagOption(options, "follow")) {
      const lines = await host.logs(name);
      output.value({ lines });
      for (const line of lines) output.line(formatLogLine(line, output));
      return 0;
    }
    const interruption = io.interruption();
    for await (const line of host.followLogs(name, interruption)) {
      output.value(line);
      output.line(formatLogLine(line, output));
    }
    if (interruption.aborted) return 0;
    throw new CommandFailure("stream_closed", `The host at ${host.url} closed the log stream of ${name}`);
  },
};
