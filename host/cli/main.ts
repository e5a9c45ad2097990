// The `mayfly` command line, run by `bin/mayfly.js` on the pinned Node, and by tests through
// `runCli`. Here a thrown failure becomes text or JSON on stderr and an exit code, and nowhere
// else. Importing it does nothing.

import { auditCommand } from "./commands/audit.ts";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { benchCommands } from "./commands/bench.ts";
import { blobCommands } from "./commands/blob.ts";
import { buildCommand } from "./commands/build.ts";
import { callCommand } from "./commands/call.ts";
import { configCommand } from "./commands/config.ts";
import { deployCommand, spreadEnv } from "./commands/deploy.ts";
import { devCommand } from "./commands/dev.ts";
import { eventsCommands, publishCommand } from "./commands/events.ts";
import { initCommand } from "./commands/init.ts";
import { invocationCommands } from "./commands/invocations.ts";
import { invokeCommand } from "./commands/invoke.ts";
import { kvCommands } from "./commands/kv.ts";
import { listCommand } from "./commands/list.ts";
import { logsCommand } from "./commands/logs.ts";
import { namespaceCommands } from "./commands/namespace.ts";
import { aliasCommands, promoteCommand, releaseCommand } from "./commands/release.ts";
import { removeCommand } from "./commands/remove.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { routeCommands } from "./commands/route.ts";
import { secretCommands } from "./commands/secret.ts";
import { serveCommand } from "./commands/serve.ts";
import { tokenCommands } from "./commands/token.ts";
import { topCommand } from "./commands/top.ts";
import { triggerCommands } from "./commands/trigger.ts";
import { usageCommand } from "./commands/usage.ts";
import { exitCodes, WrongUsage } from "./failure.ts";
import { type HostModules, hostModules } from "./host-modules.ts";
import { type CliIo, processIo } from "./io.ts";
import { writeFailure } from "./output.ts";
import { createRun, runProgram } from "./program.ts";

const commands = [
  serveCommand,
  initCommand,
  buildCommand,
  deployCommand,
  invokeCommand,
  listCommand,
  logsCommand,
  configCommand,
  releaseCommand,
  promoteCommand,
  rollbackCommand,
  aliasCommands,
  routeCommands,
  secretCommands,
  kvCommands,
  blobCommands,
  invocationCommands,
  usageCommand,
  topCommand,
  triggerCommands,
  publishCommand,
  eventsCommands,
  tokenCommands,
  namespaceCommands,
  auditCommand,
  removeCommand,
  backupCommand,
  restoreCommand,
  devCommand,
  callCommand,
  benchCommands,
];

/** Runs one command line (without `node` and the script) and returns the exit code; never throws. */
export async function runCli(
  argv: readonly string[],
  io: CliIo,
  modules: HostModules = hostModules,
): Promise<number> {
  const run = createRun(io, modules);
  try {
    return await runProgram(spreadEnv(argv), commands, run);
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    writeFailure(io, run.json ?? wantsJson(argv), thrown, run.hint);
    return thrown instanceof WrongUsage ? exitCodes.wrongUsage : exitCodes.failed;
  }
}

/** Also where the arguments could not be parsed. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes("--json");
}

async function main(): Promise<void> {
  const io = processIo();
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that went away (`mayfly list | head -1`) is no failure.
    stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  }
  const exitCode = await runCli(process.argv.slice(2), io);
  await new Promise((resolve) => process.stdout.write("", resolve));
  process.exit(exitCode);
}

if (import.meta.main) await main();
