// A part of a file as the body of an answer: read as fast as the client takes it, and closed when it has
// it all, goes away or stands still.

import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { limits } from "../limits.ts";
import type { ByteRange } from "./ranges.ts";

const chunkBytes = 128 * 1024;

export type FileStreamOptions = {
  readonly range: ByteRange;
  /**
   * SHA-256 of the range in hexadecimal digits, where it is known: the last bytes of a file that has another
   * are not sent, so that the client sees an answer cut short.
   */
  readonly digest: string | null;
  readonly onFault: (error: unknown) => void;
  /**
   * Whether all that was taken of the stream has left for the client, and nobody looks at it any more: then
   * its memory is given back at once. V8 would let 64 MB of it come together before it looks.
   */
  readonly hasLeft?: () => boolean;
  /** `limits.writeStallTimeoutMs` unless given. */
  readonly stallTimeoutMs?: number;
};

/** Closes the file. */
export function fileStream(file: FileHandle, options: FileStreamOptions): ReadableStream<Uint8Array> {
  const { range, digest, onFault, hasLeft, stallTimeoutMs = limits.writeStallTimeoutMs } = options;
  const hash = digest === null ? null : createHash("sha256");
  let at = range.start;
  let timer: NodeJS.Timeout | undefined;
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    await file.close();
  };
  let sent: ArrayBuffer | null = null;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      clearTimeout(timer);
      if (hasLeft?.() === true) sent?.transfer(0);
      try {
        const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, range.end - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at);
        if (bytesRead === 0 && at < range.end) throw new Error("A blob's file ends early");
        at += bytesRead;
        const chunk = buffer.subarray(0, bytesRead);
        hash?.update(chunk);
        if (at < range.end) {
          controller.enqueue(chunk);
          sent = buffer.buffer;
          timer = setTimeout(() => {
            controller.error(new Error("the client stands still"));
            void close().catch(onFault);
          }, stallTimeoutMs);
          return;
        }
        if (hash !== null && hash.digest("hex") !== digest)
          throw new Error(`A blob's file is damaged: ${digest}`);
        if (bytesRead > 0) controller.enqueue(chunk);
        controller.close();
        await close();
      } catch (error) {
        onFault(error);
        controller.error(error);
        await close();
      }
    },
    cancel: close,
  };
  // Nothing ahead of the reader: when it asks, it is done with what it has.
  return new ReadableStream(source, { highWaterMark: 0 });
}
