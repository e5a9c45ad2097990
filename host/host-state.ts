// The data folder of a host: locked, opened, and the crash of the host before this one judged. Called
// by `main.ts` at start; afterwards the stores are on their own.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { restoringName } from "./backup/restoring.ts";
import { checkSeals } from "./check-seals.ts";
import type { HostConfig } from "./config.ts";
import { Preparer } from "./deploy/preparer.ts";
import { judgeCrash } from "./deploy/quarantine.ts";
import { limits } from "./limits.ts";
import { parseSecretKey, SecretBox } from "./secret-box.ts";
import type { AsyncStore } from "./store/async-store.ts";
import type { AuditStore } from "./store/audit-store.ts";
import type { BlobStore } from "./store/blob-store.ts";
import { lockDataFolder } from "./store/data-lock.ts";
import type { EventStore } from "./store/event-store.ts";
import { FileArtifactStore } from "./store/files/artifact-store.ts";
import { BlobFiles } from "./store/files/blob-files.ts";
import { readOrMakeKey, secretKeySource } from "./store/files/key-file.ts";
import { PreparedFiles } from "./store/files/prepared-files.ts";
import type { FunctionStore } from "./store/function-store.ts";
import type { KvStore } from "./store/kv-store.ts";
import type { NamespaceStore } from "./store/namespace-store.ts";
import type { ReplicationStore } from "./store/replication-store.ts";
import type { RouteStore } from "./store/route-store.ts";
import type { SecretStore } from "./store/secret-store.ts";
import { openStores, type SqliteStores } from "./store/sqlite/stores.ts";
import type { SyncPath } from "./store/sync.ts";
import type { TokenStore } from "./store/token-store.ts";
import type { UsageStore } from "./store/usage-store.ts";
import { clearRunning, markExpectedEnd, readRunning } from "./worker/running-record.ts";

/** The data folder cannot be used; the message is for the user. */
export class DataFolderError extends Error {}

export type HostState = {
  readonly functions: FunctionStore;
  readonly kv: KvStore;
  readonly async: AsyncStore;
  readonly blobs: BlobStore;
  readonly blobFiles: BlobFiles;
  readonly events: EventStore;
  readonly replications: ReplicationStore;
  readonly routes: RouteStore;
  readonly usage: UsageStore;
  readonly databaseFile: string;
  /** What has become of changes so far. */
  readonly written: SqliteStores["written"];
  readonly secrets: SecretStore;
  readonly tokens: TokenStore;
  readonly namespaces: NamespaceStore;
  readonly audit: AuditStore;
  readonly secretBox: SecretBox;
  readonly artifacts: FileArtifactStore;
  /** Reads uploads, and keeps what it derives of them. */
  readonly preparer: Preparer;
  readonly logFolder: string;
  /** The key that secrets are sealed with, where it is the folder's own. */
  readonly secretKeyFile: string;
  /** The key that signed URLs are signed with; made when it is first asked for. */
  readonly linkKey: () => Buffer;
  /** The engine under which every live module was last checked. */
  readonly engineFile: string;
  /** Which version each thread runs; what is left in it at a start is evidence of a crash. */
  readonly runningFile: string;
  /** The process is about to end by our own doing: what runs then is no evidence. */
  expectEnd(): void;
  /** Closes the stores, notes that this host ended well, and gives the folder free. */
  close(): Promise<void>;
};

/** Opens the data folder; throws DataFolderError when that cannot be. */
export async function openState(
  { dataDir, secretKey, secretKeyOld }: Pick<HostConfig, "dataDir" | "secretKey" | "secretKeyOld">,
  sync: SyncPath,
  log: Logger,
  versionsMax: number = limits.versionsPerFunctionMax,
): Promise<HostState> {
  const lock = await takeLock(dataDir);
  try {
    assertRestored(dataDir);
    const runningFile = join(dataDir, "running");
    const secretKeyFile = join(dataDir, "secrets.key");
    const stores = await openStores(
      join(dataDir, "mayfly.db"),
      (error) => {
        markExpectedEnd(runningFile);
        // A host that can store nothing is replaced by one that can.
        log.fatal(
          { err: error },
          "the writer thread has ended: the host process ends itself and is replaced",
        );
        process.kill(process.pid, "SIGKILL");
      },
      versionsMax,
    );
    const artifacts = await FileArtifactStore.open(join(dataDir, "modules"), sync);
    await recordCrash(stores.functions, readRunning(runningFile), log);
    const secretBox = new SecretBox(secretKeySource(secretKeyFile, secretKey, sync));
    const anew = await checkSeals(stores.secrets, secretBox, oldBox(secretKeyOld));
    if (anew > 0) log.info({ secrets: anew }, "all secrets are sealed under the new key: the old one may go");
    let linkKey: Buffer | undefined;
    // Only now: the evidence outlives a crash in between.
    clearRunning(runningFile);
    return {
      functions: stores.functions,
      kv: stores.kv,
      async: stores.async,
      blobs: stores.blobs,
      blobFiles: await BlobFiles.open(join(dataDir, "blobs"), sync, (digest) => stores.blobs.isUsed(digest)),
      events: stores.events,
      replications: stores.replications,
      routes: stores.routes,
      usage: stores.usage,
      databaseFile: stores.file,
      written: stores.written,
      secrets: stores.secrets,
      tokens: stores.tokens,
      namespaces: stores.namespaces,
      audit: stores.audit,
      secretBox,
      artifacts,
      secretKeyFile,
      preparer: new Preparer(new PreparedFiles(join(dataDir, "prepared"))),
      linkKey: () => {
        linkKey ??= readOrMakeKey(join(dataDir, "links.key"));
        return linkKey;
      },
      logFolder: join(dataDir, "logs"),
      engineFile: join(dataDir, "engine"),
      runningFile,
      expectEnd: () => markExpectedEnd(runningFile),
      close: async () => {
        await stores.close();
        clearRunning(runningFile);
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw new DataFolderError(`Cannot use the data folder ${dataDir}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The key before, where one is given. */
function oldBox(key: string | null): SecretBox | null {
  const old = key === null ? null : parseSecretKey(key);
  return old === null ? null : new SecretBox({ read: () => old, make: async () => old });
}

/** Throws when a restore into the folder did not end: what there is of it is no host's state. */
function assertRestored(dataDir: string): void {
  if (!existsSync(join(dataDir, restoringName))) return;
  throw new Error(
    "a restore into it was cut off; run the restore again, or choose another folder with --data",
  );
}

async function takeLock(dataDir: string): Promise<Disposable> {
  let lock: Disposable | null;
  try {
    await mkdir(dataDir, { recursive: true });
    lock = lockDataFolder(join(dataDir, "lock"), limits.dataLockTimeoutMs);
  } catch (error) {
    throw new DataFolderError(
      `Cannot use the data folder ${dataDir}: ${reasonOf(error)}; choose another with --data, or make it writable`,
      { cause: error },
    );
  }
  if (lock !== null) return lock;
  throw new DataFolderError(
    `Cannot use the data folder ${dataDir}: another host has it; stop that one, or choose another folder with --data`,
  );
}

async function recordCrash(functions: FunctionStore, running: number[], log: Logger): Promise<void> {
  const known = running.filter((id) => functions.byId(id) !== null);
  if (known.length === 0) return;
  const atMs = Date.now();
  const verdict = judgeCrash({
    running: known,
    suspects: new Set(functions.suspects()),
    crashesAsOnlySuspect: (id) => functions.crashesSince(id, atMs - limits.crashWindowMs),
    crashesMax: limits.crashesMax,
  });
  await functions.recordCrash({ atMs, ...verdict });
  const names = verdict.suspects.map((id) => {
    const version = functions.byId(id);
    return version === null ? `#${id}` : `${version.name}@${version.version}`;
  });
  const consequence = verdict.quarantine
    ? "; it was the only suspect of the last crashes and is quarantined"
    : "";
  log.error(
    { suspects: names, quarantined: verdict.quarantine },
    `the host process had died while ${names.join(", ")} ran${consequence}`,
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
