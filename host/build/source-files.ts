// Where the compiler's files come from: generated ones from memory, the module "mayfly" from
// guest/sdk, configuration with Mayfly's defaults behind it, everything else from the disk.
// Only the compiler thread uses it, one object for each build.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const sdkDirectory = join(import.meta.dirname, "../../guest/sdk");

/** The options that hold unless the user's own asconfig.json says otherwise. */
export const defaultConfigPath = join(import.meta.dirname, "../../guest/asconfig.json");

const sdkRequest = /(?:^|[\\/])node_modules[\\/]mayfly[\\/](.*)$/;

export class SourceFiles {
  readonly #baseDir: string;
  readonly #generated: ReadonlyMap<string, string>;
  readonly #read = new Map<string, string>();

  /** `generated` names are relative to `baseDir`. */
  constructor(baseDir: string, generated: ReadonlyMap<string, string>) {
    this.#baseDir = baseDir;
    this.#generated = generated;
  }

  /** The text of a file, or null when there is none: the compiler tries several names. */
  read(name: string, directory: string): string | null {
    const generated = this.#generated.get(name);
    if (generated !== undefined) return generated;
    const inSdk = sdkRequest.exec(name)?.[1];
    const path = inSdk === undefined ? resolve(this.#baseDir, directory, name) : join(sdkDirectory, inSdk);
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const text = readIfThere(path);
    if (text === null) return null;
    const served = path.endsWith(".json") ? withDefaults(path, text) : text;
    this.#read.set(path, served);
    return served;
  }

  /** The text behind a path that the compiler reports, to show a line of it. */
  reported(normalizedPath: string): string | null {
    const generated = this.#generated.get(normalizedPath);
    if (generated !== undefined) return generated;
    if (normalizedPath.startsWith("~lib/mayfly/")) {
      return readIfThere(join(sdkDirectory, normalizedPath.slice("~lib/mayfly/".length)));
    }
    return this.#read.get(resolve(this.#baseDir, normalizedPath)) ?? null;
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return null;
    throw error;
  }
}

/**
 * A user's configuration, with ours at the end of its `extends` chain: the compiler lets the
 * nearer file win. Its `entries` are left out: what is built is what was asked for.
 */
function withDefaults(path: string, text: string): string {
  if (path === defaultConfigPath) return text;
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return text; // the compiler reports it
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) return text;
  const { entries: _, ...kept } = config as Record<string, unknown>;
  return JSON.stringify({ extends: defaultConfigPath, ...kept });
}
