// The parts of the host that commands run in this process: the supervisor, the build and backups. Loaded
// when they are needed, so that `mayfly list` starts no compiler; tests put their own in place.

import type { Readable } from "node:stream";
import type { Manifest } from "../backup/manifest.ts";
import type { ExportCall } from "../build/call-export.ts";
import type { CompiledFunction, CompiledModule, CompileOptions } from "../build/compile.ts";
import type { HostConfig } from "../config.ts";

export type HostModules = {
  readonly superviseHost: (config: HostConfig) => Promise<number>;
  readonly initProject: (dir: string) => Promise<{ readonly files: readonly string[] }>;
  readonly compileFunction: (options: CompileOptions) => Promise<CompiledFunction>;
  /** A file as it is, with the types of its exports. */
  readonly compileModule: (options: CompileOptions) => Promise<CompiledModule>;
  readonly callExport: (call: ExportCall) => Promise<string>;
  readonly receiveBackup: (archive: Readable, folder: string) => Promise<Manifest>;
  readonly restoreBackup: (backup: string, dataDir: string) => Promise<Manifest>;
};

export const hostModules: HostModules = {
  superviseHost: async (config) => (await import("../supervisor.ts")).superviseHost(config),
  initProject: async (dir) => (await import("../build/init.ts")).initProject(dir),
  compileFunction: async (options) => (await import("../build/compile.ts")).compileFunction(options),
  compileModule: async (options) => (await import("../build/compile.ts")).compileModule(options),
  callExport: async (call) => (await import("../build/call-export.ts")).callExport(call),
  receiveBackup: async (archive, folder) =>
    (await import("../backup/receive-backup.ts")).receiveBackup(archive, folder),
  restoreBackup: async (backup, dataDir) =>
    (await import("../backup/restore-backup.ts")).restoreBackup(backup, dataDir),
};
