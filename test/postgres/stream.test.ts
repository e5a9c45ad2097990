// What a stream confirms and when, message by message: a connection that this file feeds, and a store that
// it holds back.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { ChangeReader, ReadChange } from "../../host/postgres/changes.ts";
import { ReplicationStream, type StoredChanges } from "../../host/postgres/stream.ts";

type Store = { readonly changes: number; settle(error?: Error): void };

/** A stream that runs; `stores` are those that have not been settled. */
class Stream {
  readonly connection = Object.assign(new EventEmitter(), {
    reports: [] as bigint[],
    ends: 0,
    reading: true,
    stream: {
      pause: () => {
        this.connection.reading = false;
      },
      resume: () => {
        this.connection.reading = true;
      },
    },
    sendCopyFromChunk: (message: Buffer) => void this.connection.reports.push(message.readBigUInt64BE(9)),
    endCopyFrom: () => {
      this.connection.ends += 1;
      this.#copied.resolve();
    },
  });
  readonly stores: Store[] = [];
  readonly stream: ReplicationStream;
  readonly ended: Promise<unknown>;
  readonly #copied = Promise.withResolvers<void>();
  #inTransaction = false;

  constructor() {
    const self = this;
    const client = Object.assign(new EventEmitter(), {
      connection: this.connection,
      query: () => this.#copied.promise,
    });
    const reader: Pick<ChangeReader, "read" | "inTransaction"> = {
      get inTransaction() {
        return self.#inTransaction;
      },
      read: (bytes) => this.#read(bytes),
    };
    this.stream = new ReplicationStream({
      client,
      slot: "s",
      publication: "p",
      reader: reader as ChangeReader,
      store: (changes) => this.#store(changes),
      onStarted: () => {},
      onProgress: () => {},
    });
    this.ended = this.stream.run().then(
      () => "stopped",
      (error: unknown) => error,
    );
  }

  /** So many changes of a transaction, and its end where there is one. */
  send(changes: number, endLsn: bigint | null, bytes = 10): void {
    const message = Buffer.from(
      JSON.stringify({ changes, end: endLsn === null ? null : Number(endLsn), bytes }),
    );
    this.#receive(Buffer.concat([Buffer.of(0x77), Buffer.alloc(24), message]));
  }

  keepalive(lsn: bigint, asksAnswer = true): void {
    const message = Buffer.alloc(18);
    message[0] = 0x6b;
    message.writeBigUInt64BE(lsn, 1);
    message[17] = asksAnswer ? 1 : 0;
    this.#receive(message);
  }

  get confirmed(): bigint | undefined {
    return this.connection.reports.at(-1);
  }

  #receive(chunk: Buffer): void {
    this.connection.emit("copyData", { chunk });
  }

  #read(bytes: Buffer): ReadChange[] {
    const { changes, end, bytes: size } = JSON.parse(bytes.toString());
    this.#inTransaction = end === null;
    const position = { system: "1", lsn: "00000000/00000001", change: 1 };
    const event = { attributes: {}, data: Buffer.alloc(size), depth: 1 };
    const read: ReadChange[] = Array.from({ length: changes }, () => ({ kind: "change", position, event }));
    return end === null ? read : [...read, { kind: "commit", endLsn: BigInt(end) }];
  }

  #store(changes: StoredChanges): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.stores.push({
      changes: changes.length,
      settle: (error) => {
        this.stores.shift();
        if (error === undefined) resolve();
        else reject(error);
      },
    });
    return promise;
  }
}

/** Lets go on whatever can. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a transaction is confirmed once all of it is stored, and not a byte beyond its end", async () => {
  const stream = new Stream();
  stream.send(2, null);
  await settled();
  stream.stores[0]?.settle();
  await settled();
  stream.keepalive(90n);
  assert.equal(stream.confirmed, 0n, "a part of a transaction was confirmed");
  stream.send(1, 100n);
  await settled();
  stream.keepalive(120n);
  assert.equal(stream.confirmed, 0n, "what was not stored yet was confirmed");
  stream.stores[0]?.settle();
  await settled();
  assert.equal(stream.confirmed, 100n);
  await stream.stream.stop();
  assert.equal(await stream.ended, "stopped");
});

test("a keepalive moves what is confirmed while nothing waits, and never back", async () => {
  const stream = new Stream();
  stream.keepalive(50n);
  assert.equal(stream.confirmed, 50n);
  stream.send(1, 60n);
  // In the same read: it has not even begun to be stored.
  stream.keepalive(70n);
  assert.equal(stream.confirmed, 50n);
  await settled();
  stream.stores[0]?.settle();
  await settled();
  assert.equal(stream.confirmed, 60n);
  stream.keepalive(40n);
  assert.equal(stream.confirmed, 70n);
  // Transactions that nobody asks for cost no store.
  stream.send(0, 80n);
  await settled();
  assert.deepEqual([stream.confirmed, stream.stores.length], [80n, 0]);
  await stream.stream.stop();
});

test("when something could not be stored nothing behind it is stored or confirmed", async () => {
  const stream = new Stream();
  stream.send(1, 10n);
  await settled();
  stream.send(1, 20n);
  stream.stores[0]?.settle(new Error("the disk is full"));
  // Before anybody has had the time to end the connection.
  stream.send(1, 30n);
  await settled();
  stream.send(1, 40n);
  stream.keepalive(50n);
  await settled();
  assert.match(String(await stream.ended), /the disk is full/);
  assert.deepEqual([stream.stores.length, stream.connection.reports], [0, []]);
});

test("little is read ahead of what is stored, whatever the size of a transaction", async () => {
  const stream = new Stream();
  const bytes = 100_000;
  let sent = 0;
  let held = 0;
  for (; sent < 1_000 && stream.connection.reading; sent += 1) stream.send(1, null, bytes);
  assert.ok(sent * bytes < 5_000_000, `${sent} changes were read`);
  await settled();
  while (!stream.connection.reading) {
    held += stream.stores[0]?.changes ?? 0;
    assert.ok((stream.stores[0]?.changes ?? 0) * bytes < 1_300_000, "too much was stored at once");
    stream.stores[0]?.settle();
    await settled();
  }
  assert.ok(held > 0 && held < sent, "it read on before or after all was stored");
  const stopped = stream.stream.stop();
  stream.stores[0]?.settle();
  await stopped;
});

test("a stop waits for what is being stored, confirms it, and ends the copy", async () => {
  const stream = new Stream();
  stream.send(1, 10n);
  await settled();
  const stopped = stream.stream.stop();
  stream.send(1, 20n);
  await settled();
  assert.equal(stream.connection.ends, 0);
  stream.stores[0]?.settle();
  await stopped;
  assert.deepEqual([stream.connection.reports, stream.connection.ends], [[10n], 1]);
  assert.equal(await stream.ended, "stopped");
});
