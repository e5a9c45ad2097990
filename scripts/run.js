// The pre-step of every npm script: plain JavaScript for any Node from 20 on. It installs when
// node_modules is missing or older than the lock file, then runs the named step on the Node 26
// that the lock file pins, found by its package path and never by what `node` means in the shell.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedNode } from "./pinned-node.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [step = "", ...rest] = process.argv.slice(2);

if (installIsStale(root) && !install(root, "package-lock.json")) process.exit(1);
if (step === "bench:peers") installPeers();
run(stepArguments());

/** What Mayfly is compared with has packages of its own; who is missing is left out of the comparison. */
function installPeers() {
  const folder = join(root, "bench", "peers");
  if (installIsStale(folder)) install(folder, "bench/peers/package-lock.json");
}

/** @param {string} folder of a package.json */
function installIsStale(folder) {
  const marker = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(marker)) return true;
  return statSync(marker).mtimeMs < statSync(join(folder, "package-lock.json")).mtimeMs;
}

/**
 * @param {string} folder of a package.json
 * @param {string} lockFile as a person knows it
 * @returns {boolean} whether it went well
 */
function install(folder, lockFile) {
  process.stderr.write(`Installing what ${lockFile} names ...\n`);
  const command = process.env.npm_execpath
    ? [process.execPath, process.env.npm_execpath]
    : [process.platform === "win32" ? "npm.cmd" : "npm"];
  const result = spawnSync(
    /** @type {string} */ (command[0]),
    // Not "ci": that refuses a lock file in which a registry's gaps among other platforms' optional
    // packages show. What the lock file names is installed as it says, and the file stays as it is.
    [...command.slice(1), "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: folder, stdio: ["ignore", 2, 2], shell: process.platform === "win32" },
  );
  if (result.status !== 0) process.stderr.write("The install failed; see npm's message above\n");
  return result.status === 0;
}

/** @returns {string[][]} one argument list for Node per command, run in order until one fails */
function stepArguments() {
  const script = (/** @type {string} */ name) => join(root, "scripts", name);
  switch (step) {
    case "start":
      return [[script("start.ts"), ...rest]];
    case "test":
      return [[script("test.ts"), ...rest]];
    case "soak":
      return [[script("test.ts"), "--soak", ...rest]];
    case "bench":
      return [[script("bench.ts"), ...rest]];
    case "bench:peers":
      return [[join(root, "bench/peers/main.ts"), ...rest]];
    case "check":
      return [[script("check.ts")]];
    case "compile":
      return [["--disable-warning=ExperimentalWarning", script("compile.ts")]];
    case "format":
      return [[join(root, "node_modules/@biomejs/biome/bin/biome"), "check", "--write", ...rest]];
    default:
      process.stderr.write(
        `Unknown step "${step}", want start, test, soak, check, compile, bench, bench:peers or format\n`,
      );
      process.exit(2);
  }
}

/** @param {string[][]} commands */
function run(commands) {
  const [first, ...later] = commands;
  if (first === undefined) return;
  const child = spawn(pinnedNode(), first, { cwd: root, stdio: "inherit" });
  // The child has the same terminal and process group and gets the signal too; this process only
  // has to stay until it is done, so that the exit code is the child's.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    if (code === 0) return run(later);
    process.exit(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0));
  });
}
