// Streams through guests, those of the SDK and programs for WASI: how far the memory of a host grows while a large body passes in, and out, how
// fast it passes, and how soon the first byte of an answer is there after its guest has written it.

import { readFileSync } from "node:fs";
import { get, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { program, readChunk, sleep } from "../test/support/programs.ts";
import { configure, deploy, hostPid, type Server, startMayfly, upload } from "./servers.ts";
import { print } from "./statistics.ts";

const bytes = Number(process.env["BYTES"] ?? 1024 ** 3);
const rounds = Number(process.env["ROUNDS"] ?? 200);
const block = Buffer.alloc(64 * 1024, "0123456789abcdef");
const sampleMs = 20;

const source = `
import { BodyStream, now, Request, Response, sleep } from "mayfly";

/** Its length, by its bytes as they come. */
function measure(body: BodyStream): u64 {
  const buffer = new Uint8Array(65536);
  let total: u64 = 0;
  for (let length = body.readInto(buffer); length > 0; length = body.readInto(buffer)) total += length;
  return total;
}

export function handle(req: Request): Response {
  if (req.method === "POST") return Response.text(measure(req.stream()).toString());
  const out = Response.stream(200, "application/octet-stream");
  if (req.path === "/first") {
    out.writeText("first");
    sleep(20);
    return out.end();
  }
  const size = I64.parseInt(req.query("bytes")!);
  const chunk = new Uint8Array(65536);
  for (let sent: i64 = 0; sent < size; sent += 65536) out.write(chunk);
  return out.end();
}
`;

/** Writes so many chunks of 64 KiB. */
const writing = (chunks: number): string => `(local $left i32) (local.set $left (i32.const ${chunks}))
  (call $print)
  (loop $more (call $say (i32.const 1) (i32.const 65536) (i32.const 65536))
    (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`;

/** Answers with the length of its body, in eight bytes. */
const measuring = `(local $total i64)
  (loop $more ${readChunk()}
    (local.set $total (i64.add (local.get $total) (i64.load32_u (i32.const 8))))
    (br_if $more (i32.load (i32.const 8))))
  (call $print) (i64.store (i32.const 4096) (local.get $total)) (call $say (i32.const 1) (i32.const 4096) (i32.const 8))`;

const config = { timeoutMs: 900_000, cpuMs: 900_000 };
const warmBytes = 4 * block.byteLength;

type Guest = {
  readonly name: string;
  readonly deploy: (server: Server) => Promise<void>;
  /** Answers with so many bytes: all of them, or those that warm up. */
  readonly out: (size: number) => string;
  readonly into: string;
  /** What the answer to an upload says of its length. */
  readonly length: (answer: Buffer) => number;
  /** Answers with a few bytes, 20 ms before its end. */
  readonly first: string;
  /** Answers with one byte. */
  readonly whole: string;
};

const assemblyScript: Guest = {
  name: "AssemblyScript",
  deploy: async (server) => {
    await deploy(server, "streams", source, config);
    await deploy(server, "whole", source.replace('if (req.path === "/first")', "if (false)"), config);
  },
  out: (size) => `/fn/streams?bytes=${size}`,
  into: "/fn/streams",
  length: (answer) => Number(answer.toString()),
  first: "/fn/streams/first",
  whole: "/fn/whole?bytes=1",
};

const wasi: Guest = {
  name: "WASI program",
  deploy: async (server) => {
    const uses = ["fd_read", "poll_oneoff"];
    const first = `(call $print) (call $say (i32.const 1) (i32.const 1024) (i32.const 5)) ${sleep(20)}`;
    const programs = {
      out: writing(bytes / block.byteLength),
      "out-warm": writing(warmBytes / block.byteLength),
      into: measuring,
      first,
      whole: "(call $print) (call $say (i32.const 1) (i32.const 1024) (i32.const 1))",
    };
    for (const [name, body] of Object.entries(programs)) {
      await configure(server, name, config);
      await upload(server, name, program(body, { uses }));
    }
  },
  out: (size) => (size === bytes ? "/fn/out" : "/fn/out-warm"),
  into: "/fn/into",
  length: (answer) => Number(answer.readBigUInt64LE()),
  first: "/fn/first",
  whole: "/fn/whole",
};

for (const guest of [assemblyScript, wasi]) await measure(guest);

async function measure(guest: Guest): Promise<void> {
  await using mayfly = await startMayfly(0);
  await guest.deploy(mayfly);
  const at = (path: string): string => `${mayfly.url}${path}`;
  const download = (size: number) => received(at(guest.out(size)), size);
  const send = (size: number) => sent(at(guest.into), size, guest.length);
  // What the first calls bring with them is not the streams'.
  await download(warmBytes);
  await send(warmBytes);
  const first = rssBytes(mayfly);
  const out = await watched(mayfly, () => download(bytes));
  const into = await watched(mayfly, () => send(bytes));
  const streamed = await firstByteMs(at(guest.first));
  const whole = await firstByteMs(at(guest.whole));
  const megabytes = (count: number): number => Math.round(count / 1e6);
  const thousandths = (ms: number): number => Math.round(ms * 1_000) / 1_000;
  print(
    `streams, ${guest.name}: ${megabytes(bytes)} MB out of a guest, then into it; ${rounds} answers that begin 20 ms before their end`,
    [
      { server: "RSS before, MB", measured: megabytes(first) },
      { server: "growth on its way out, MB", measured: megabytes(out.peak - first) },
      { server: "growth on its way in, MB", measured: megabytes(into.peak - first) },
      { server: "out, MB a second", measured: Math.round(bytes / 1e3 / out.ms) },
      { server: "in, MB a second", measured: Math.round(bytes / 1e3 / into.ms) },
      { server: "first byte of a streamed answer, p50 ms", measured: thousandths(streamed.p50) },
      { server: "first byte of a streamed answer, p99 ms", measured: thousandths(streamed.p99) },
      { server: "first byte of a short whole answer, p50 ms", measured: thousandths(whole.p50) },
    ],
  );
}

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

function* blocks(size: number): Generator<Buffer> {
  for (let sent = 0; sent < size; sent += block.byteLength) yield block.subarray(0, size - sent);
}

async function sent(url: string, size: number, length: Guest["length"]): Promise<void> {
  const outgoing = request(url, { method: "POST", headers: { "content-length": size } });
  const answered = new Promise<string>((resolve, reject) => {
    outgoing.on("response", async (answer) => {
      const chunks = await answer.toArray();
      resolve(`${answer.statusCode} ${length(Buffer.concat(chunks))}`);
    });
    outgoing.on("error", reject);
  });
  await pipeline(Readable.from(blocks(size)), outgoing);
  const wanted = `200 ${size}`;
  const found = await answered;
  if (found !== wanted) throw new Error(`the upload was answered ${found}, want ${wanted}`);
}

function received(url: string, size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, (answer) => {
      let came = 0;
      answer.on("data", (chunk: Buffer) => {
        came += chunk.byteLength;
      });
      answer.on("error", reject);
      answer.on("end", () => (came === size ? resolve() : reject(new Error(`${came} bytes came`))));
    }).on("error", reject);
  });
}

/** From the request to the first byte of the body, the connection being there. */
async function firstByteMs(url: string): Promise<{ p50: number; p99: number }> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const beganMs = performance.now();
    await new Promise<void>((resolve, reject) => {
      get(url, (answer) => {
        answer.once("data", () => all.push(performance.now() - beganMs));
        answer.on("data", () => {});
        answer.on("end", resolve);
      }).on("error", reject);
    });
  }
  all.sort((one, other) => one - other);
  return { p50: all[rounds >> 1] ?? 0, p99: all[Math.floor(rounds * 0.99)] ?? 0 };
}

function rssBytes(server: Server): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${hostPid(server)}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1_024;
}
