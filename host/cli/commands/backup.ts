// `mayfly backup DIR` and `mayfly restore DIR`: a copy of everything that a host keeps, made while it runs, and
// the way back, without a host.

import { resolve } from "node:path";
import { type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { CommandFailure, messageOf } from "../failure.ts";
import { formatBytes } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

export const backupCommand: CommandSpec = {
  name: "backup",
  args: "<dir>",
  summary: "copy everything that a host keeps into a new folder, while it runs",
  examples: ["mayfly backup backups/2026-11-30"],
  notes: "Keys and logs are not part of it. A folder without manifest.json is a backup that was cut off.",
  options: [],
  usesHost: true,
  async run(args, { client, io, modules, output }) {
    const dir = requiredArgument(args, 0);
    const archive = await client().send("POST", "/v1/backup", undefined, {
      accept: "application/x-tar, application/problem+json",
    });
    const { files, damaged, needsSecretKey, createdAt } = await modules
      .receiveBackup(archive, resolve(io.cwd, dir))
      .catch((error: unknown) => {
        archive.destroy();
        throw new CommandFailure("backup_failed", `Cannot back up into ${dir}: ${messageOf(error)}`, {
          cause: error,
        });
      });
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    output.value({ dir, createdAt, files: files.length, bytes, damaged, needsSecretKey });
    output.line(`Backed up ${files.length} files, ${formatBytes(bytes)}, to ${dir}`);
    if (needsSecretKey) {
      output.note(
        "Secrets in it are sealed with the data folder's secrets.key: keep a copy of that elsewhere",
      );
    }
    for (const path of damaged) {
      output.note(`The data folder's ${terminalLine(path)} is damaged; the backup has it as it is`);
    }
    return damaged.length === 0 ? 0 : 1;
  },
};

export const restoreCommand: CommandSpec = {
  name: "restore",
  args: "<dir>",
  summary: "make a data folder of a backup, for a host that is not started yet",
  examples: ["mayfly restore backups/2026-11-30 --data .mayfly"],
  notes: "Everything is checked before anything is put in place.",
  options: [{ flags: "--data <folder>", meaning: "a new or empty folder (MAYFLY_DATA, default .mayfly)" }],
  usesHost: false,
  async run(args, { io, modules, options, output }) {
    const dir = requiredArgument(args, 0);
    const data = textOption(options, "data") ?? io.env["MAYFLY_DATA"] ?? ".mayfly";
    const { files, damaged, needsSecretKey, createdAt } = await modules
      .restoreBackup(resolve(io.cwd, dir), resolve(io.cwd, data))
      .catch((error: unknown) => {
        throw new CommandFailure("restore_failed", `Cannot restore ${dir}: ${messageOf(error)}`, {
          cause: error,
        });
      });
    output.value({ dir, data, createdAt, files: files.length, damaged, needsSecretKey });
    output.line(`Restored ${files.length} files of ${createdAt} to ${data}`);
    if (needsSecretKey) {
      output.note(
        `Secrets in it are sealed: put the secrets.key of the folder that was backed up into ${data} before a host starts`,
      );
    }
    for (const path of damaged) output.note(`${terminalLine(path)} was damaged when the backup was made`);
    return 0;
  },
};
