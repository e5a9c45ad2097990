// Twenty thousand calls at once, of functions that answer, wait, run for ever, trap and are held to a
// few at a time: each ends with its own answer or in its own code, none twice and none for another's
// sake, and the host goes on. A part of them by default; the soak has them all.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { assemble, guest, literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { type RawAnswer, RawConnection } from "../support/raw-connection.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
const connections = 40;
const perConnection = soak ? 500 : 75;
/** A client that waits for so many answers reads them when they are there. */
const timeoutMs = 300_000;

/** Answers with the request message, which has the call's number in it, after `before`. */
const mirror = (before: string): Uint8Array =>
  assemble(`(module
    (import "mayfly" "sleep" (func $sleep (param f64)))
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "${literal(responseMessage())}")
    (func (export "mayfly_handle") (param $bytes i32)
      ${before}
      (call $read (i32.const 12))
      (call $write (i32.const 0) (i32.add (local.get $bytes) (i32.const 12)))))`);

type Kind = {
  readonly name: string;
  readonly wasm: Uint8Array;
  readonly config: object;
  /** Statuses and codes in which its calls may end; `overloaded` any may. */
  readonly ends: readonly string[];
};

const open = { concurrency: 100_000, queue: 0, timeoutMs: 120_000 };
const kinds: readonly Kind[] = [
  { name: "good", wasm: mirror(""), config: open, ends: ["200"] },
  { name: "sleeps", wasm: mirror("(call $sleep (f64.const 1000))"), config: open, ends: ["200"] },
  { name: "traps", wasm: guest("unreachable"), config: open, ends: ["502 guest_trapped"] },
  {
    name: "few",
    wasm: mirror("(call $sleep (f64.const 5))"),
    config: { ...open, concurrency: 4, queue: 8 },
    ends: ["200", "429 concurrency_limited"],
  },
  {
    name: "loops",
    wasm: guest("(loop (br 0))"),
    config: { concurrency: 8, queue: 8, cpuMs: 5, timeoutMs: 120_000 },
    ends: ["504 cpu_exceeded", "429 concurrency_limited"],
  },
];

test(`${connections * perConnection} calls at once each end in their own way`, async (context) => {
  await using host = await SupervisedHost.start();
  for (const { name, wasm, config } of kinds) {
    assert.equal((await host.deploy(name, wasm)).status, 201);
    const put = { method: "PUT", body: JSON.stringify(config) };
    assert.equal((await fetch(`${host.url}/v1/functions/${name}/config`, put)).status, 200);
  }
  const { hostPid } = host;
  const port = Number(new URL(host.url).port);
  const opened = await Promise.all(Array.from({ length: connections }, () => RawConnection.open(port)));
  const ends = new Map<string, number>();
  const asked = opened.map((connection, row) => {
    const calls = Array.from({ length: perConnection }, (_, column) => {
      const number = row * perConnection + column;
      return { number, kind: kinds[(row + column) % kinds.length] as Kind };
    });
    const requests = calls.map(
      ({ number, kind }) => `GET /fn/${kind.name}?number=${number}. HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
    );
    connection.write(requests.join(""));
    return { connection, calls };
  });
  await Promise.all(
    asked.map(async ({ connection, calls }) => {
      for (const { number, kind } of calls) {
        const answer = await connection.answer({ timeoutMs });
        assert.ok(answer !== null, `call ${number} of ${kind.name} has no answer`);
        const end = endOf(answer);
        ends.set(`${kind.name} ${end}`, (ends.get(`${kind.name} ${end}`) ?? 0) + 1);
        assert.ok([...kind.ends, "503 overloaded"].includes(end), `call ${number} of ${kind.name}: ${end}`);
        if (end === "200") assert.ok(answer.body.includes(`number=${number}.`), `call ${number}: another's`);
      }
      connection.close();
    }),
  );
  context.diagnostic([...ends].map(([end, count]) => `${count} ${end}`).join(", "));
  for (const { name, ends: wanted } of kinds) {
    assert.ok(ends.has(`${name} ${wanted[0]}`), `no call of ${name} ended as ${wanted[0]}`);
  }
  const live = async (): Promise<boolean> =>
    /^mayfly_live_calls 0$/m.test(await (await fetch(`${host.url}/metrics`)).text());
  await until(live, 30_000);
  const after = await fetch(`${host.url}/fn/good?number=after`);
  assert.match(await after.text(), /number=after/);
  assert.equal(host.hostPid, hostPid, "the host process was replaced");
});

/** The status of an answer, and the code of an error. */
function endOf({ status, body }: RawAnswer): string {
  if (status === 200) return "200";
  return `${status} ${(JSON.parse(body.toString()) as { readonly code: string }).code}`;
}
