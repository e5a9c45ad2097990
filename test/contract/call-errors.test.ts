// One call for each code of the data-plane table; after each the function still answers.

import { strict as assert } from "node:assert";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { limits } from "../../host/limits.ts";
import { openStores } from "../../host/store/sqlite/stores.ts";
import { answering, order, puppet } from "../support/guests.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const workers = new Set<Worker>();
process.on("worker", (worker: Worker) => {
  workers.add(worker);
  worker.once("exit", () => workers.delete(worker));
});

/** The thread that is in a loop, by its use of the CPU. */
async function busiest(): Promise<Worker> {
  for (;;) {
    const before = new Map(
      await Promise.all([...workers].map(async (one) => [one, await cpuMs(one)] as const)),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [worker, sinceMs] of before) if ((await cpuMs(worker)) - sinceMs > 30) return worker;
  }
}

async function cpuMs(worker: Worker): Promise<number> {
  return (await worker.cpuUsage()).user / 1000;
}

describe("a call that fails", () => {
  let host: TestHost;
  before(async () => {
    host = await TestHost.start();
    await host.deploy("puppet", puppet());
    await host.deploy("good", answering("good"));
  });
  after(() => host.close({ expectFaults: true }));
  afterEach(async () => {
    await host.configure("puppet", {});
    const next = await host.call("puppet", { body: order("now") });
    assert.equal(next.status, 200, next.text);
    assert.equal((await host.call("good")).text, "good");
  });

  const simple = [
    ["a trap", order("trap"), 502, "guest_trapped"],
    ["an exception that nobody catches", order("throw"), 502, "guest_trapped"],
    ["a stack overflow", order("recurse"), 502, "guest_trapped"],
    ["an abort", order("abort"), 502, "guest_trapped"],
    ["a trap after memory.grow was refused", order("grow_and_trap", 60_000), 502, "memory_exceeded"],
    ["no answer", order("nothing"), 502, "bad_guest_output"],
    ["two answers", order("write_twice"), 502, "bad_guest_output"],
    ["a pointer outside the memory", order("response_write", 0xffff_ffff, 4), 502, "bad_guest_output"],
  ] as const;
  for (const [what, body, status, code] of simple) {
    test(`with ${what} is ${code}`, async () => {
      assertProblem(await host.call("puppet", { body }), status, code);
    });
  }

  test("with a trap after a growth that was granted is guest_trapped", async () => {
    assertProblem(await host.call("puppet", { body: order("grow_and_trap", 1) }), 502, "guest_trapped");
  });

  test("for no such function or version is function_not_found", async () => {
    assertProblem(await host.call("absent"), 404, "function_not_found");
    assertProblem(await host.call("puppet@7"), 404, "function_not_found");
  });

  test("with a body over the limit is body_too_large", async () => {
    const headers = { "content-length": String(limits.requestBodyBytesMax + 1) };
    assertProblem(await host.call("puppet", { headers }), 413, "body_too_large");
  });

  test("at its wall-clock limit is deadline_exceeded", async () => {
    await host.configure("puppet", { timeoutMs: 100, cpuMs: 900_000 });
    assertProblem(await host.call("puppet", { body: order("loop") }), 504, "deadline_exceeded");
  });

  test("at its CPU limit is cpu_exceeded", async () => {
    await host.configure("puppet", { cpuMs: 50 });
    assertProblem(await host.call("puppet", { body: order("loop") }), 504, "cpu_exceeded");
  });

  test("beyond concurrency and queue is concurrency_limited with Retry-After", async () => {
    await host.configure("puppet", { concurrency: 1, queue: 1, cpuMs: 900_000, timeoutMs: 1_500 });
    const running = host.call("puppet", { body: order("loop") });
    const waiting = host.call("puppet", { body: order("now") });
    let refused = await host.call("puppet", { body: order("now") });
    // The three may overtake one another on their connections; one of them is over the limit.
    if (refused.status === 200) refused = await waiting;
    assertProblem(refused, 429, "concurrency_limited");
    assert.match(refused.header("retry-after") ?? "", /^[1-9]\d*$/);
    assertProblem(await running, 504, "deadline_exceeded");
  });

  test("in the function's queue at its deadline is deadline_exceeded", async () => {
    await host.configure("puppet", { concurrency: 1, cpuMs: 900_000, timeoutMs: 300 });
    const answers = await Promise.all([
      host.call("puppet", { body: order("loop") }),
      host.call("puppet", { body: order("loop") }),
    ]);
    for (const answer of answers) assertProblem(answer, 504, "deadline_exceeded");
  });

  test("whose thread ends under it is worker_lost with Retry-After", async () => {
    await host.configure("puppet", { cpuMs: 900_000, timeoutMs: 20_000 });
    const lost = host.call("puppet", { body: order("loop") });
    await (await busiest()).terminate();
    const answer = await lost;
    assertProblem(answer, 503, "worker_lost");
    assert.match(answer.header("retry-after") ?? "", /^[1-9]\d*$/);
  });

  test("because stored bytes are damaged is internal, and tells the client nothing of it", async () => {
    const first = await TestHost.start();
    await first.deploy("sound", answering("sound"));
    const folder = join(first.dataDir, "modules");
    const before = new Set(await readdir(folder));
    await first.deploy("damaged", answering("damaged"));
    const [file = ""] = (await readdir(folder)).filter((name) => !before.has(name));
    const { dataDir } = first;
    await first.close({ keepData: true });
    await writeFile(join(folder, file), "garbage");
    const second = await TestHost.start({ dataDir });
    const answer = await second.call("damaged");
    assertProblem(answer, 500, "internal");
    assert.doesNotMatch(answer.text, /digest|sha256|modules|\.ts/);
    assert.equal((await second.call("sound")).text, "sound");
    const requestId = answer.header("x-mayfly-request-id") ?? "";
    assert.ok(second.faults.some((line) => line.includes(requestId) && line.includes("is damaged")));
    await second.close({ expectFaults: true });
  });
});

test("a call while the host drains is overloaded with Retry-After, and running ones end", async () => {
  const host = await TestHost.start();
  await host.deploy("puppet", puppet());
  await host.configure("puppet", { timeoutMs: 1_500, cpuMs: 900_000 });
  const late = await RawConnection.open(host.port);
  late.write("GET /fn/puppet HTTP/1.1\r\nHost: h\r\n");
  const running = host.call("puppet", { body: order("loop") });
  while (!(await host.ask("GET", "/metrics")).text.includes("\nmayfly_live_calls 1\n"));
  const closed = host.close();
  const answer = await late.write("\r\n").answer();
  assert.equal(answer?.status, 503);
  assert.equal(JSON.parse(answer?.body.toString() ?? "").code, "overloaded");
  assert.match(answer?.header("retry-after") ?? "", /^[1-9]\d*$/);
  late.close();
  assertProblem(await running, 504, "deadline_exceeded");
  await closed;
});

test("a quarantined version is function_quarantined until it is released", async () => {
  let host = await TestHost.start();
  await host.deploy("bad", answering("released"));
  const { dataDir } = host;
  await host.close({ keepData: true });
  const stores = await openStores(join(dataDir, "mayfly.db"), assert.ifError);
  const id = stores.functions.live("bad")?.id ?? 0;
  await stores.functions.recordCrash({ atMs: Date.now(), suspects: [id], only: id, quarantine: true });
  await stores.close();
  host = await TestHost.start({ dataDir });
  assertProblem(await host.call("bad"), 503, "function_quarantined");
  assert.equal((await host.send("POST", "/v1/functions/bad/unquarantine", null)).status, 200);
  assert.equal((await host.call("bad")).text, "released");
  await host.close();
});
