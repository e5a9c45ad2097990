// Mayfly as its users install it: packed by npm, unpacked into the node_modules of an empty project, beside
// what the lock file names for production and nothing else. No network is needed: the dependencies are those
// of the checkout, as links to the same bytes.

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from "node:fs";
import { copyFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

export type InstalledPackage = AsyncDisposable & {
  /** The project's folder. */
  readonly project: string;
  /** That of the package in it. */
  readonly folder: string;
  /** The command's file. */
  readonly command: string;
};

export async function installPackage(): Promise<InstalledPackage> {
  const project = mkdtempSync(join(tmpdir(), "mayfly-package-"));
  const modules = join(project, "node_modules");
  const folder = join(modules, "mayfly");
  mkdirSync(folder, { recursive: true });
  const checkout = copyOfCheckout(project);
  await run(...npm("pack", "--silent", "--pack-destination", project), { cwd: checkout });
  await rm(checkout, { recursive: true });
  const [tarball = ""] = readdirSync(project).filter((name) => name.endsWith(".tgz"));
  await run("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"], { cwd: project });
  for (const path of productionPackages()) await copyTree(join(root, path), join(project, path));
  mkdirSync(join(modules, ".bin"));
  symlinkSync("../mayfly/bin/mayfly.js", join(modules, ".bin", "mayfly"));
  return {
    project,
    folder,
    command: join(folder, "bin/mayfly.js"),
    [Symbol.asyncDispose]: () => rm(project, { recursive: true, force: true, maxRetries: 10 }),
  };
}

/** What is packed, and what packs it: packing writes dist/, and another test may do so at the same time. */
function copyOfCheckout(project: string): string {
  const copy = join(project, "checkout");
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  const packed = files.filter((path) => path !== "dist" && !path.startsWith("scripts/"));
  for (const path of [
    ...packed,
    "host",
    "scripts",
    "package.json",
    "package-lock.json",
    "README.md",
    "LICENSE",
  ]) {
    // With their times: a lock file that is newer than what is installed would be installed anew.
    cpSync(join(root, path), join(copy, path), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
  return copy;
}

/** npm is the one that runs the tests, where they are run by it. */
function npm(...rest: string[]): [string, string[]] {
  const path = process.env["npm_execpath"];
  return path === undefined ? ["npm", rest] : [process.execPath, [path, ...rest]];
}

/** `node_modules/NAME` of what is needed to run, as far as it is installed on this platform. */
function productionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true && existsSync(join(root, path)))
    .map(([path]) => path);
}

/** Hard links, or copies where the two are on different file systems; packages inside come by themselves. */
async function copyTree(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      if (entry.name !== "node_modules") await copyTree(source, target);
    } else if (entry.isFile()) {
      await linkOrCopy(source, target);
    }
  }
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    linkSync(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK") throw error;
    await copyFile(source, target);
  }
}
