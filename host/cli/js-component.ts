// Makes a component of a JavaScript or TypeScript file. What does it is a package of its own, some hundreds of
// megabytes with all it needs, that nothing here depends on: it is taken from the user's project, or fetched
// once, with npm, into a cache folder. No install scripts run.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { requireFile } from "./function-source.ts";

const packageName = "@bytecodealliance/componentize-js";
const packageVersion = "0.23.0";

/**
 * The component of a file; `reusable` for one whose instance takes more than one call. Throws CommandFailure
 * `build_failed` with what the package says.
 */
export async function buildJsComponent(
  file: string,
  { reusable }: { readonly reusable: boolean },
  context: CommandContext,
): Promise<Uint8Array<ArrayBuffer>> {
  const source = resolve(context.io.cwd, file);
  await requireFile(source, file);
  const folder = await packageFolder(dirname(source), context);
  context.output.progress(`Building ${file} ...`);
  const work = await mkdtemp(join(tmpdir(), "mayfly-js-"));
  try {
    const output = join(work, `${basename(file)}.wasm`);
    const program = fileURLToPath(import.meta.resolve("../build/componentize.ts"));
    const mode = reusable ? ["--reuse"] : [];
    await run(process.execPath, ["--no-warnings", program, folder, source, output, ...mode], work, context);
    return await readFile(output);
  } finally {
    await rm(work, { recursive: true, force: true });
    context.output.progress("");
  }
}

/** That of the project the source is part of, else the cached one, fetched when there is none. */
async function packageFolder(from: string, context: CommandContext): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", packageName);
    if (existsSync(join(found, "package.json"))) return found;
    if (dirname(folder) === folder) break;
  }
  const { env } = context.io;
  const cache = join(
    env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "mayfly",
    `componentize-js-${packageVersion}`,
  );
  const cached = join(cache, "node_modules", packageName);
  if (existsSync(join(cached, "package.json"))) return cached;
  context.output.note(`Fetching ${packageName} ${packageVersion} into ${cache}, once; it takes about 400 MB`);
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, "package.json"), '{"private":true}\n');
  const install = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `${packageName}@${packageVersion}`,
  ];
  await run(process.platform === "win32" ? "npm.cmd" : "npm", install, cache, context);
  return cached;
}

/** Runs a program to its end; one that fails is a failed build, in its own words. */
function run(program: string, args: readonly string[], cwd: string, { io }: CommandContext): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, [...args], { cwd, env: { ...io.env }, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = `${said}${text}`.slice(-8_192);
    });
    child.on("error", (error) => fail(new CommandFailure("build_failed", error.message, { cause: error })));
    child.on("close", (code) => {
      if (code === 0) done();
      else
        fail(
          new CommandFailure("build_failed", said.trim() || `${basename(program)} ended with code ${code}`),
        );
    });
  });
}
