// Blobs: how far the memory of a host grows while a large one passes in and out, and how fast it passes.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { hostPid, type Server, startMayfly } from "./servers.ts";
import { print } from "./statistics.ts";

const bytes = Number(process.env["BYTES"] ?? 1024 ** 3);
const block = Buffer.alloc(64 * 1024, "0123456789abcdef");
const sampleMs = 20;

await using mayfly = await startMayfly(0);
const target = `${mayfly.url}/v1/blobs/bench/large`;
// What the first request brings with it is not the blob's.
await fetch(`${target}-warm`, { method: "PUT", body: block });

const first = rssBytes(mayfly);
const put = await watched(mayfly, upload);
const got = await watched(mayfly, download);
const megabytes = (count: number): number => Math.round(count / 1e6);

print(`blobs: one of ${megabytes(bytes)} MB in, then out`, [
  { server: "RSS before, MB", measured: megabytes(first) },
  { server: "growth on its way in, MB", measured: megabytes(put.peak - first) },
  { server: "growth on its way out, MB", measured: megabytes(got.peak - first) },
  { server: "in, MB a second", measured: Math.round(bytes / 1e3 / put.ms) },
  { server: "out, MB a second", measured: Math.round(bytes / 1e3 / got.ms) },
]);

async function watched(server: Server, work: () => Promise<void>): Promise<{ peak: number; ms: number }> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, rssBytes(server));
  }, sampleMs);
  const startMs = performance.now();
  await work();
  clearInterval(timer);
  return { peak: Math.max(peak, rssBytes(server)), ms: performance.now() - startMs };
}

function* blocks(): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += block.byteLength) yield block.subarray(0, bytes - sent);
}

async function upload(): Promise<void> {
  const outgoing = request(target, { method: "PUT", headers: { "content-length": bytes } });
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on("error", reject);
  });
  await pipeline(Readable.from(blocks()), outgoing);
  const status = await answered;
  if (status !== 201) throw new Error(`the upload was answered ${status}`);
}

async function download(): Promise<void> {
  const wanted = createHash("sha256");
  for (const each of blocks()) wanted.update(each);
  const found = createHash("sha256");
  const answer = await fetch(target);
  for await (const chunk of answer.body ?? []) found.update(chunk);
  if (found.digest("hex") !== wanted.digest("hex")) throw new Error("what came out is not what went in");
}

function rssBytes(server: Server): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${hostPid(server)}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1_024;
}
