// `mayfly serve`: reads the configuration and hands it to the supervisor, which runs the host. Bad
// values are all printed at once, exit 2. Everything after that is the supervisor's.

import { ConfigError, parseConfig, type SettingFlags, settingTable } from "../../config.ts";
import { type CommandSpec, flagOption, listOption, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";

const settings = Object.values(settingTable);
/** Flags that may be given more than once. */
const lists: ReadonlySet<string> = new Set(["--host-name", "--origin"]);

export const serveCommand: CommandSpec = {
  name: "serve",
  args: "",
  summary: "start a host",
  examples: ["mayfly serve", "mayfly serve --port 8080 --data /var/lib/mayfly"],
  notes: "It listens until SIGINT or SIGTERM, then lets running calls end.",
  options: settings.map((setting) => ({
    flags: setting.value === null ? setting.flag : `${setting.flag} <${setting.value.toLowerCase()}>`,
    meaning: `${setting.meaning} (${setting.env}${setting.default === null ? "" : `, default ${setting.default}`})`,
    repeatable: lists.has(setting.flag),
  })),
  usesHost: false,
  async run(_args, { io, output, modules, options }) {
    const texts = {
      host: textOption(options, "host"),
      port: textOption(options, "port"),
      data: textOption(options, "data"),
      minWorkers: textOption(options, "minWorkers"),
      maxWorkers: textOption(options, "maxWorkers"),
      token: textOption(options, "token"),
      secretKey: textOption(options, "secretKey"),
      secretKeyOld: textOption(options, "secretKeyOld"),
      hostNames: joined(listOption(options, "hostName")),
      origins: joined(listOption(options, "origin")),
      allowUnmetered: flagOption(options, "allowUnmetered") ? "true" : undefined,
      threadsOnly: flagOption(options, "threadsOnly") ? "true" : undefined,
      rates: textOption(options, "rates"),
      traceEndpoint: textOption(options, "traceEndpoint"),
      traceSample: textOption(options, "traceSample"),
      traceHeaders: textOption(options, "traceHeaders"),
    };
    const flags: SettingFlags = Object.fromEntries(
      Object.entries(texts).filter(([, text]) => text !== undefined),
    );
    const { config, warnings } = readConfig(flags, io.env, io.cwd);
    for (const warning of warnings) output.note(`warning: ${warning}`);
    return modules.superviseHost(config);
  },
};

function joined(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : texts.join(",");
}

function readConfig(...source: Parameters<typeof parseConfig>): ReturnType<typeof parseConfig> {
  try {
    return parseConfig(...source);
  } catch (error) {
    if (error instanceof ConfigError) throw new WrongUsage(error.message, { faults: error.faults });
    throw error;
  }
}
