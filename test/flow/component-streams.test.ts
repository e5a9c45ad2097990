// Bodies of components, both ways, as they come: more than a body may hold whole, and a first byte that leaves
// while the guest has still to write the last.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { request } from "node:http";
import { after, test } from "node:test";
import { component, handler } from "../support/components.ts";
import { StreamClient } from "../support/stream-client.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const clocks = `
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $after (param i64) (result i32)))`;

/** Writes what it reads. */
const echo = handler(
  `(local.set $c (call $begin (local.get $out)))
   (call $write_stream (local.get $c) (i32.const 512))
   (local.set $b (i32.load (i32.const 516)))
   (call $consume (local.get $request) (i32.const 512))
   (call $stream (i32.load (i32.const 516)) (i32.const 512))
   (local.set $a (i32.load (i32.const 516)))
   (block $end (loop $next
     (global.set $free (i32.const 65536))
     (call $read (local.get $a) (i64.const 65536) (i32.const 512))
     (br_if $end (i32.load8_u (i32.const 512)))
     (call $write (local.get $b) (i32.load (i32.const 516)) (i32.load (i32.const 520)) (i32.const 512))
     (br $next)))
   ;; end
   (call $finish (local.get $c) (i32.const 0) (i32.const 0) (i32.const 512))`,
);

async function metric(name: string): Promise<number> {
  const { text } = await host.ask("GET", "/metrics");
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await happened())) {
    if (performance.now() > endMs) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const messages = async (name: string): Promise<string[]> =>
  (await host.logs(name)).map(({ message }) => message);

test("a component writes what it reads, and holds none of it: more than a body that is held may have", async () => {
  await host.deploy("echo", component(echo));
  const chunk = Buffer.alloc(1_000_000, "streams ");
  const sent = createHash("sha256");
  const received = createHash("sha256");
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port: host.port, method: "POST", path: "/fn/echo", agent: false },
      (answer) => {
        answer.on("data", (part: Buffer) => {
          bytes += part.byteLength;
          received.update(part);
        });
        answer.on("end", resolve).on("error", reject);
      },
    );
    asked.on("error", reject);
    const send = (left: number): void => {
      if (left === 0) return void asked.end();
      sent.update(chunk);
      asked.write(chunk, () => send(left - 1));
    };
    send(20);
  });
  assert.equal(bytes, 20_000_000);
  assert.equal(received.digest("hex"), sent.digest("hex"));
});

test("what a component has written leaves while it waits, and a body that is not finished breaks off", async () => {
  const slow = (end: string): string =>
    handler(
      `(local.set $c (call $begin (local.get $out)))
       (call $write_stream (local.get $c) (i32.const 512))
       (local.set $b (i32.load (i32.const 516)))
       (call $write (local.get $b) (i32.const 1024) (i32.const 5) (i32.const 512))
       (call $block (call $after (i64.const 600000000)))
       ${end}`,
      `(data (i32.const 1024) "first last")`,
      clocks,
    );
  const rest = `(call $write (local.get $b) (i32.const 1029) (i32.const 5) (i32.const 512))
    (call $finish (local.get $c) (i32.const 0) (i32.const 0) (i32.const 512))`;
  await host.deploy("slow", component(slow(rest)));
  await host.deploy("broken", component(slow("")));
  const parts = async (name: string): Promise<string[]> => {
    const answer = await fetch(`${host.host.url}/fn/${name}`);
    const read: string[] = [];
    for await (const part of answer.body ?? []) read.push(Buffer.from(part).toString());
    return read;
  };
  assert.deepEqual(await parts("slow"), ["first", " last"]);
  await assert.rejects(parts("broken"));
});

/** Writes for ever, its memory as it is. */
const endless = component(
  handler(
    `(call $write_stream (call $begin (local.get $out)) (i32.const 512))
     (local.set $b (i32.load (i32.const 516)))
     (loop (call $write (local.get $b) (i32.const 1024) (i32.const 65536) (i32.const 512)) (br 0))`,
  ),
);

test("a client that goes away ends its component, which would write for ever", async () => {
  await host.configure("endless", { cpuMs: 60_000 });
  await host.deploy("endless", endless);
  const before = await metric('mayfly_calls_total{outcome="client_gone"}');
  const client = StreamClient.open(host.port, "/fn/endless");
  await client.read(100_000);
  assert.equal(await metric("mayfly_live_calls"), 1);
  client.close();
  await until(async () => (await metric("mayfly_live_calls")) === 0);
  assert.equal(await metric('mayfly_calls_total{outcome="client_gone"}'), before + 1);
  assert.deepEqual(await messages("endless"), ["stopped: the client went away"]);
});

test("a component that writes for ever to a client that reads for ever is cut off at its CPU time", async () => {
  await host.configure("greedy", { cpuMs: 200 });
  await host.deploy("greedy", endless);
  assert.equal((await StreamClient.open(host.port, "/fn/greedy").rest()).whole, false);
  assert.match((await messages("greedy")).join(), /^stopped: .* limit of 200 ms of CPU time$/);
});

test("a request that breaks off half way ends its component, which never takes that for the end", async () => {
  const before = await metric('mayfly_calls_total{outcome="client_gone"}');
  await host.deploy("noting", component(echo.replace(";; end", "(unreachable)")));
  const client = StreamClient.open(host.port, "/fn/noting", {
    method: "POST",
    headers: { "content-length": 10_000_000 },
  });
  client.request.write(Buffer.alloc(100_000));
  await client.read(100_000);
  client.close();
  await until(async () => (await metric("mayfly_live_calls")) === 0);
  assert.equal(await metric('mayfly_calls_total{outcome="client_gone"}'), before + 1);
  assert.deepEqual(await messages("noting"), ["stopped: the client went away"]);
});
