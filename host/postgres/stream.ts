// One connection to a replication slot: takes changes as they come, has them stored, and only then confirms
// them. It reads no further while much waits to be stored, and confirms nothing by itself: what it reports at
// intervals is what it reported before. It does not begin again: `follower.ts` does.

import type { ChangeReader, ReadChange } from "./changes.ts";
import type { CopyConnection } from "./client.ts";
import { quoted } from "./slot.ts";

export type StoredChanges = readonly Extract<ReadChange, { readonly kind: "change" }>[];

/** What is wanted of the client, whose connection is a `CopyConnection`. */
export type StreamClient = {
  readonly connection: object;
  query(text: string): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
};

export type StreamParts = {
  readonly client: StreamClient;
  readonly slot: string;
  readonly publication: string;
  readonly reader: ChangeReader;
  /** Resolves once they are durable, all of them. */
  readonly store: (changes: StoredChanges) => Promise<void>;
  readonly onStarted: () => void;
  /** Something was confirmed, or told of. */
  readonly onProgress: (confirmedLsn: bigint, toldLsn: bigint) => void;
};

/** Stored together at most. */
const chunkChangesMax = 500;
const chunkBytesMax = 1024 * 1024;
/** Of what waits to be stored; nothing is read beyond it, nor until less than half of it waits. */
const waitingBytesMax = 4 * 1024 * 1024;
/** What a change holds besides its data, bytes. */
const changeBytes = 1_024;
/** Between reports; half the time after which PostgreSQL by default takes a silent reader for lost is 30 s. */
const reportMs = 10_000;
/** A server that says nothing for so long is asked, and given up after as long again. */
const silenceMs = 30_000;
/** Microseconds from 1970 to 2000, from where PostgreSQL counts. */
const epochUs = 946_684_800_000_000n;

export class ReplicationStream {
  readonly #parts: StreamParts;
  readonly #connection: CopyConnection;
  readonly #waiting: ReadChange[] = [];
  #waitingBytes = 0;
  #storing: Promise<void> | null = null;
  #paused = false;
  /** failed: whatever comes now would be stored behind a gap. */
  #end: "none" | "stopped" | "failed" = "none";
  #confirmed = 0n;
  #told = 0n;
  #heardMs = performance.now();
  #reject: (error: unknown) => void = () => {};

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#connection = parts.client.connection as CopyConnection;
  }

  /** Resolves when it was stopped; rejects with what else has ended it. */
  async run(): Promise<void> {
    const { client, slot, publication, onStarted } = this.#parts;
    const failure = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    client.on("error", (error) => this.#fail(error));
    client.on("end", () => this.#fail(new Error("The connection has ended")));
    this.#connection.once("replicationStart", onStarted);
    this.#connection.on("copyData", ({ chunk }: { readonly chunk: Buffer }) => {
      if (this.#end !== "none") return;
      try {
        this.#receive(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
    const timer = setInterval(() => this.#look(), reportMs);
    const names = quoted(publication).replaceAll("'", "''");
    const options = `proto_version '1', publication_names '${names}'`;
    // From where it was confirmed last: the server knows that place.
    const copied = client.query(`START_REPLICATION SLOT ${quoted(slot)} LOGICAL 0/0 (${options})`);
    try {
      await Promise.race([copied, failure]);
      if (this.#end !== "stopped") throw new Error("PostgreSQL has ended the stream");
    } finally {
      if (this.#end === "none") this.#end = "failed";
      clearInterval(timer);
      // A change that is being stored is not stored again beside itself.
      await this.#storing;
    }
  }

  /** Takes nothing more; what is being stored is confirmed, and the stream ended as the protocol has it. */
  async stop(): Promise<void> {
    if (this.#end !== "none") return;
    this.#end = "stopped";
    await this.#storing;
    this.#report(false);
    this.#connection.endCopyFrom();
    // What still comes has to be read for the end to be.
    this.#connection.stream.resume();
  }

  #fail(error: unknown): void {
    if (this.#end === "none") this.#end = "failed";
    this.#reject(error);
  }

  #receive(message: Buffer): void {
    this.#heardMs = performance.now();
    if (message[0] === 0x77) return this.#take(this.#parts.reader.read(message.subarray(25)));
    if (message[0] !== 0x6b) throw new Error("PostgreSQL sent what is no message of its protocol");
    this.#told = max(this.#told, message.readBigUInt64BE(1));
    // Whatever was committed before it has been sent before it.
    if (this.#isIdle) this.#confirm(this.#told);
    if (message[17] === 1) this.#report(false);
    this.#progress();
  }

  /** Whether all that was received is stored. */
  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#storing === null && !this.#parts.reader.inTransaction;
  }

  #take(changes: readonly ReadChange[]): void {
    for (const change of changes) {
      const last = this.#waiting.at(-1);
      // Nobody asks for the changes of a transaction: what counts is the end of the last such.
      if (change.kind === "commit" && last?.kind === "commit") this.#waiting.pop();
      this.#waiting.push(change);
      this.#waitingBytes += bytesOf(change);
      if (change.kind === "commit") this.#told = max(this.#told, change.endLsn);
    }
    if (!this.#paused && this.#waitingBytes >= waitingBytesMax) {
      this.#paused = true;
      this.#connection.stream.pause();
    }
    if (this.#waiting.length > 0) this.#storing ??= this.#storeAll();
  }

  async #storeAll(): Promise<void> {
    try {
      // What the same read from the network brings is stored together.
      await null;
      while (this.#waiting.length > 0) {
        const chunk = this.#nextChunk();
        const changes = chunk.filter((change) => change.kind === "change");
        if (changes.length > 0) await this.#parts.store(changes);
        const end = chunk.findLast((change) => change.kind === "commit");
        if (end !== undefined) {
          this.#confirm(end.endLsn);
          if (this.#end === "none") this.#report(false);
        }
        this.#progress();
        this.#resume();
        if (this.#end !== "none") break;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#storing = null;
    }
  }

  #nextChunk(): ReadChange[] {
    let count = 0;
    let bytes = 0;
    for (const change of this.#waiting) {
      if (count >= chunkChangesMax || bytes >= chunkBytesMax) break;
      count += 1;
      bytes += bytesOf(change);
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #resume(): void {
    if (!this.#paused || this.#end !== "none" || this.#waitingBytes > waitingBytesMax / 2) return;
    this.#paused = false;
    this.#heardMs = performance.now();
    this.#connection.stream.resume();
  }

  #confirm(lsn: bigint): void {
    this.#confirmed = max(this.#confirmed, lsn);
  }

  #progress(): void {
    this.#parts.onProgress(this.#confirmed, this.#told);
  }

  /** Says that it is there, and notices when the server is not. */
  #look(): void {
    const silentMs = this.#paused ? 0 : performance.now() - this.#heardMs;
    if (silentMs >= 2 * silenceMs) return this.#fail(new Error("PostgreSQL does not answer"));
    this.#report(silentMs >= silenceMs);
  }

  /** Standby status update (PostgreSQL, section 55.4): the next byte that is wanted, exactly. */
  #report(asksAnswer: boolean): void {
    const message = Buffer.alloc(34);
    message[0] = 0x72;
    for (const at of [1, 9, 17]) message.writeBigUInt64BE(this.#confirmed, at);
    message.writeBigUInt64BE(BigInt(Date.now()) * 1_000n - epochUs, 25);
    message[33] = asksAnswer ? 1 : 0;
    this.#connection.sendCopyFromChunk(message);
  }
}

function bytesOf(change: ReadChange): number {
  return change.kind === "commit" ? 0 : changeBytes + change.event.data.byteLength;
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
