#!/usr/bin/env node
// The `mayfly` command: plain JavaScript that any Node from 20 on can read. It finds the pinned
// Node 26 by its package path and runs the command line with it.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedNode } from "../scripts/pinned-node.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
// The repository runs its TypeScript as it is; the published package carries it compiled, because
// Node strips no types inside node_modules.
const source = join(root, "host", "cli", "main.ts");
const entry = existsSync(source) ? source : join(root, "dist", "cli", "main.js");

const child = spawn(pinnedNode(), [entry, ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => child.kill(signal));
}
child.on("exit", (code, signal) => {
  process.exit(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0));
});
