// wasi:io 0.2: errors, what can be waited for, and streams of bytes.

import { bad, done, good, type Result, result, variant } from "./compound-types.ts";
import type { ComponentGuest } from "./guest.ts";
import { earlyFunc, earlyWaitingFunc, func, type Interface, waitingFunc } from "./host-function.ts";
import { borrow, own } from "./resources.ts";
import {
  alwaysReady,
  InputStream,
  OutputStream,
  Pollable,
  StreamFault,
  waitForAny,
  writeBytesMax,
} from "./streams.ts";
import { bool, bytes, list, string, u32, u64 } from "./value-types.ts";

const input = borrow(InputStream);
const output = borrow(OutputStream);
const streamError = variant({ "last-operation-failed": own(StreamFault), closed: null });
const closed = bad({ tag: "closed" } as const);

export const error: Interface = {
  resources: ["error"],
  functions: {
    "[method]error.to-debug-string": earlyFunc(
      [borrow(StreamFault)],
      string,
      (_guest, { message }) => message,
    ),
  },
};

export const poll: Interface = {
  resources: ["pollable"],
  functions: {
    "[method]pollable.ready": earlyFunc([borrow(Pollable)], bool, (_guest, { ready }) => ready),
    "[method]pollable.block": earlyWaitingFunc([borrow(Pollable)], null, (guest, pollable) =>
      waitForAny(guest, [pollable]),
    ),
    poll: waitingFunc([list(borrow(Pollable))], list(u32), (guest, pollables) => {
      if (pollables.length === 0) throw guest.fault("it waits for nothing");
      const readyOnes = (): number[] => [...pollables.keys()].filter((index) => pollables[index]?.ready);
      const waited = waitForAny(guest, pollables);
      return waited instanceof Promise ? waited.then(readyOnes) : readyOnes();
    }),
  },
};

/** What a guest gets at once lies in its memory: as much as one read asks, it gets that much at most. */
const lengthOf = (length: bigint): number => Number(length < BigInt(writeBytesMax) ? length : writeBytesMax);

type Read<value> = Result<value, { readonly tag: "closed" }>;

function reading<value>(
  stream: InputStream,
  length: bigint,
  nothing: value,
  made: (bytes: Uint8Array) => value,
): Read<value> | Promise<Read<value>> {
  const max = lengthOf(length);
  if (max === 0) return good(nothing);
  const answer = (read: Uint8Array | null): Read<value> => (read === null ? closed : good(made(read)));
  const read = stream.read(max);
  return read instanceof Promise ? read.then(answer) : answer(read);
}

const readFunc = waitingFunc([input, u64], result(bytes, streamError), (_guest, stream, length) =>
  reading(stream, length, new Uint8Array(0), (read) => read),
);
const skipFunc = waitingFunc([input, u64], result(u64, streamError), (_guest, stream, length) =>
  reading(stream, length, 0n, (read) => BigInt(read.byteLength)),
);

type StreamError =
  | { readonly tag: "closed" }
  | { readonly tag: "last-operation-failed"; readonly value: StreamFault };
type Written = Result<undefined, StreamError>;

function writing(stream: OutputStream, written: Uint8Array): Written | Promise<Written> {
  if (stream.closed) return closed;
  const answer = (fault: StreamFault | null | undefined | void): Written =>
    fault instanceof StreamFault ? bad({ tag: "last-operation-failed", value: fault }) : done;
  const wrote = stream.write(written);
  return wrote instanceof Promise ? wrote.then(answer) : answer(wrote);
}

const writeFunc = earlyWaitingFunc([output, bytes], result(null, streamError), (_guest, stream, written) =>
  writing(stream, written),
);
const zeroesFunc = waitingFunc([output, u64], result(null, streamError), (guest, stream, length) => {
  if (length > BigInt(writeBytesMax)) throw guest.fault("it writes more zeroes than one write may bring");
  return writing(stream, new Uint8Array(Number(length)));
});
const flushFunc = earlyFunc([output], result(null, streamError), (_guest, stream) =>
  stream.closed ? closed : done,
);

type Spliced = Result<bigint, StreamError>;

const spliceFunc = waitingFunc(
  [output, input, u64],
  result(u64, streamError),
  (_guest: ComponentGuest, to, from, length): Spliced | Promise<Spliced> => {
    const moved = (read: Uint8Array | null): Spliced | Promise<Spliced> => {
      if (read === null) return closed;
      const count = good(BigInt(read.byteLength));
      const wrote = writing(to, read);
      return wrote instanceof Promise
        ? wrote.then((answer) => (answer.tag === "ok" ? count : answer))
        : wrote.tag === "ok"
          ? count
          : wrote;
    };
    if (to.closed) return closed;
    const max = lengthOf(length);
    if (max === 0) return good(0n);
    const read = from.read(max);
    return read instanceof Promise ? read.then(moved) : moved(read);
  },
);

export const streams: Interface = {
  resources: ["input-stream", "output-stream"],
  functions: {
    "[method]input-stream.read": readFunc,
    "[method]input-stream.blocking-read": readFunc,
    "[method]input-stream.skip": skipFunc,
    "[method]input-stream.blocking-skip": skipFunc,
    "[method]input-stream.subscribe": func([input], own(Pollable), () => alwaysReady),
    "[method]output-stream.check-write": earlyFunc([output], result(u64, streamError), (_guest, stream) =>
      stream.closed ? closed : good(BigInt(writeBytesMax)),
    ),
    "[method]output-stream.write": writeFunc,
    "[method]output-stream.blocking-write-and-flush": writeFunc,
    "[method]output-stream.flush": flushFunc,
    "[method]output-stream.blocking-flush": flushFunc,
    "[method]output-stream.subscribe": earlyFunc([output], own(Pollable), () => alwaysReady),
    "[method]output-stream.write-zeroes": zeroesFunc,
    "[method]output-stream.blocking-write-zeroes-and-flush": zeroesFunc,
    "[method]output-stream.splice": spliceFunc,
    "[method]output-stream.blocking-splice": spliceFunc,
  },
};
