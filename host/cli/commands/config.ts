// `mayfly config NAME [KEY=VALUE …]`: shows a function's effective configuration, or changes some
// of it: read, change, write back whole. A key that is not named stays as it was.

import { readFunctionName, readPair } from "../arguments.ts";
import { type CommandSpec, listOption, requiredArgument } from "../command.ts";
import { changeSettings, describeSettings, type SettingChange } from "../function-settings.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

export const configCommand: CommandSpec = {
  name: "config",
  args: "<name> [pairs...]",
  summary: "show or change a function's limits, variables and allowed hosts",
  examples: [
    "mayfly config hello timeoutMs=500 env.GREETING=Hi",
    "mayfly config hello",
    "mayfly config hello allowedHosts=api.example.org,*.example.net --unset env.GREETING",
  ],
  notes:
    "Keys: timeoutMs cpuMs memoryMb concurrency queue isolation env.NAME envSecrets args allowedHosts\n" +
    "access ratePerSecond rateBurst, and those of asynchronous calls (docs/configuration.md).\n" +
    "env.NAME= sets an empty value; --unset env.NAME removes the variable.",
  options: [
    {
      flags: "--unset <key>",
      meaning: "give a key its default again, or remove an env.NAME",
      repeatable: true,
    },
  ],
  usesHost: true,
  async run(args, context) {
    const name = readFunctionName(requiredArgument(args, 0));
    const pairs = args.slice(1).map(readPair);
    const changes: SettingChange[] = [
      ...pairs.map(([key, value]) => ({ kind: "set", key, value }) as const),
      ...listOption(context.options, "unset").map((key) => ({ kind: "unset", key }) as const),
    ];
    changeSettings({}, changes); // Wrong keys and values are told before the host is asked.
    const client = context.client();
    const config =
      changes.length === 0
        ? await client.requireConfig(name)
        : await client.writeConfig(name, changeSettings(await client.readConfig(name), changes));
    context.output.value(config);
    const rows = describeSettings(config).map(([key, value]) => [terminalLine(key), terminalLine(value)]);
    for (const line of formatTable(["KEY", "VALUE"], rows)) context.output.line(line);
    return 0;
  },
};
