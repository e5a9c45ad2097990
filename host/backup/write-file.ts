// Files of a backup on their way to a disk: written as they come, for their owner alone, durable, and with the
// size and the digest that they turned out to have.

import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** Writes a file that is not there yet; resolves when it would survive a power failure, its folder apart. */
export async function writeDurably(
  file: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  await using handle = await open(file, "wx", 0o600);
  for await (const chunk of chunks) {
    hash.update(chunk);
    for (let at = 0; at < chunk.byteLength; ) {
      at += (await handle.write(chunk, at, chunk.byteLength - at)).bytesWritten;
    }
    bytes += chunk.byteLength;
  }
  await handle.sync();
  return { bytes, sha256: hash.digest("hex") };
}
