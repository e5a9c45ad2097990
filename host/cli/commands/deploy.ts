// `mayfly deploy NAME FILE`: builds a .ts file, sets --env, then uploads. The configuration goes
// first, so that the new version never runs without it.

import { resolve } from "node:path";
import { readFunctionName, readPair } from "../arguments.ts";
import type { FunctionRecord, HostClient } from "../client.ts";
import { type CommandSpec, listOption, requiredArgument, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { environmentOf } from "../function-settings.ts";
import { readModule } from "../function-source.ts";
import { formatBytes, shortDigest } from "../output.ts";
import { packFolder } from "../pack-folder.ts";
import { terminalLine } from "../terminal-text.ts";

export const deployCommand: CommandSpec = {
  name: "deploy",
  args: "<name> <file>",
  summary: "put a .ts or .wasm file online as a function",
  examples: [
    "mayfly deploy hello hello.ts",
    "mayfly deploy hello hello.wasm --env GREETING=Hi",
    "mayfly deploy site site.wasm --files public",
    "mayfly deploy hello hello.ts --no-live",
  ],
  options: [
    {
      flags: "--env <key=value>",
      meaning: "set a variable of the function; others stay as they are",
      repeatable: true,
    },
    {
      flags: "--files <folder>",
      meaning: "carry the files of a folder, which the program finds under /",
    },
    { flags: "--no-live", meaning: "keep the version back: calls go on with the live one" },
  ],
  usesHost: true,
  async run(args, context) {
    const name = readFunctionName(requiredArgument(args, 0));
    const pairs = listOption(context.options, "env").map(readPair);
    // As the commander has it: there and true without the option.
    const live = context.options["live"] !== false;
    if (!live && pairs.length > 0) {
      throw new WrongUsage(
        "Variables are the function's, so the live version would have them too: leave out --env",
      );
    }
    const client = context.client();
    const wasm = await readModule(requiredArgument(args, 1), context);
    const folder = textOption(context.options, "files");
    const files = folder === undefined ? null : await packFolder(resolve(context.io.cwd, folder), folder);
    context.output.progress(`Deploying ${name} ...`);
    const { record, changed } = await deployWith(client, name, { wasm, files, live }, pairs);
    context.output.value({ ...record, url: functionUrl(client.url, record), changed });
    context.output.line(describeDeploy(record, { changed, live }));
    context.output.line(functionUrl(client.url, record));
    return 0;
  },
};

/** `Deployed hello v3 sha256:0123456789ab (1.2 kB)`. */
export function describeDeploy(
  record: FunctionRecord,
  { changed, live = true }: { readonly changed: boolean; readonly live?: boolean },
): string {
  const name = terminalLine(record.name);
  const version = `v${record.version ?? "?"}`;
  if (!changed) return `${name} ${version} has these bytes already${live ? " and is live" : ""}`;
  const digest = terminalLine(shortDigest(record.digest ?? ""));
  const how = record.metered === false ? ", unmetered: on threads of its own" : "";
  return `Deployed ${name} ${version} ${digest} (${formatBytes(record.bytes ?? 0)})${how}${live ? "" : ", not live"}`;
}

/** Where to call it, absolute. */
export function functionUrl(hostUrl: string, record: FunctionRecord): string {
  const path = record.url ?? `/fn/${record.name}`;
  if (/^https?:\/\//i.test(path)) return terminalLine(path);
  return terminalLine(`${hostUrl}${path.startsWith("/") ? "" : "/"}${path}`);
}

/** Sets the variables and deploys; when that fails, the function has its old ones again. */
async function deployWith(
  client: HostClient,
  name: string,
  upload: { wasm: Uint8Array<ArrayBuffer>; files: Uint8Array<ArrayBuffer> | null; live: boolean },
  pairs: readonly (readonly [string, string])[],
): ReturnType<HostClient["deploy"]> {
  const { wasm, ...options } = upload;
  if (pairs.length === 0) return client.deploy(name, wasm, options);
  const before = await client.readConfig(name);
  const env = { ...environmentOf(before), ...Object.fromEntries(pairs) };
  await client.writeConfig(name, { ...before, env });
  try {
    return await client.deploy(name, wasm, options);
  } catch (error) {
    await client.writeConfig(name, before);
    throw error;
  }
}

/** `--env A=1 B=2` as `--env A=1 --env B=2`, for `deploy` alone: commander's own form would also take NAME and FILE. */
export function spreadEnv(argv: readonly string[]): readonly string[] {
  if (!argv.includes("deploy")) return argv;
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const spread: string[] = [];
  let afterEnv = false;
  for (const argument of argv.slice(0, end)) {
    const isPair = /^[A-Za-z_][A-Za-z0-9_]*=/.test(argument);
    if (afterEnv && isPair && spread.at(-1) !== "--env") spread.push("--env");
    afterEnv = argument === "--env" || argument.startsWith("--env=") || (afterEnv && isPair);
    spread.push(argument);
  }
  return [...spread, ...argv.slice(end)];
}
