// What goes wrong under a measurement, and what the user is told: a host that is not there, a function
// that fails in the middle, a rate that is not held, an interrupt. What there is is reported and marked,
// and nothing stays on the host.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Report } from "../../../host/cli/bench/report.ts";
import { type FakeHost, problem, startFakeHost } from "../fake-host.ts";
import { cli, startCli, until } from "../run-cli.ts";
import { answerCall, startAnsweringHost, withModules } from "./guests.ts";

const commands = ["cold", "warm", "throughput", "burst", "isolation", "density"];

test("a host that is not there is said so at once by each command", async () => {
  await withModules(async (cwd) => {
    for (const command of commands) {
      const result = await cli(["bench", command, "fast.wasm", "--url", "http://127.0.0.1:1"], { cwd });
      assert.equal(result.exitCode, 1);
      assert.match(
        result.stderr,
        /^Cannot reach the host at http:\/\/127.0.0.1:1: .*; start one with "mayfly serve"\n$/,
      );
      assert.equal(result.stdout, "");
    }
  });
});

for (const [what, status, code] of [
  ["traps", 502, "guest_trapped"],
  ["answers 500", 500, null],
  ["is gone", 404, "function_not_found"],
] as const) {
  test(`a function that ${what} in the middle leaves a marked report of what was measured until then`, async () => {
    await withModules(async (cwd) => {
      await using host = await startFakeHost();
      let calls = 0;
      host.call = (_request, response) => {
        calls += 1;
        if (calls <= 130) return response.end("fine");
        if (code !== null) return problem(response, status, code, "It failed");
        return response.writeHead(status).end("no");
      };
      const argv = ["bench", "warm", "fast.wasm", "--url", host.url, "--rate", "200", "--json", "out.json"];
      const result = await cli(argv, { cwd });
      assert.equal(result.exitCode, 1);
      assert.match(
        result.stderr,
        new RegExp(`answered ${status}${code === null ? "; a function" : `: ${code}`}`),
      );
      assert.match(result.stdout, /\nPARTIAL: ended after [\d.]+ s: A call of bench-/);
      const report = JSON.parse(await readFile(join(cwd, "out.json"), "utf8")) as Report;
      assert.match(report.partial ?? "", /^ended after/);
      assert.equal(report.sections[0]?.rows.at(-1)?.summary?.samples, 30);
      assertNothingLeft(host);
    });
  });
}

test("a rate that the host cannot hold is told with the one it held, and the times are marked", async () => {
  await withModules(async (cwd) => {
    await using host = await startAnsweringHost();
    // So slow from the first measured call on.
    let calls = 0;
    host.call = (request, response) => {
      calls += 1;
      if (calls <= 100) answerCall(request, response);
      else setTimeout(answerCall, 40, request, response);
    };
    const asked = ["--rate", "1000", "--seconds", "0.2", "--connections", "8"];
    const result = await cli(["bench", "warm", "fast.wasm", "--url", host.url, ...asked], { cwd });
    assert.equal(result.exitCode, 1);
    assert.match(
      result.stderr,
      /^The host did not hold 1000 calls a second: it answered [\d.]+ a second.*--rate\n$/,
    );
    assert.match(result.stdout, /PARTIAL: ended .* did not hold 1000/);
    assert.match(result.stdout, /calls answered a second .* of 1000 asked/);
    assertNothingLeft(host);
  });
});

test("a burst that the function's queue has no room for says how many calls were refused", async () => {
  await withModules(async (cwd) => {
    await using host = await startAnsweringHost();
    let calls = 0;
    host.call = (request, response) => {
      calls += 1;
      if (calls <= 60) answerCall(request, response);
      else problem(response, 429, "concurrency_limited", "The queue is full");
    };
    const few = ["--config", "concurrency=7", "--calls", "30", "--bursts", "1"];
    const result = await cli(["bench", "burst", "fast.wasm", "--url", host.url, ...few, "--json"], { cwd });
    assert.equal(result.exitCode, 1);
    assert.match(JSON.parse(result.stderr).message, /^The host refused 20 of 30 calls, .* with --config$/);
    assert.equal([...host.configs.values()][0]?.["concurrency"], 7);
    const report = JSON.parse(result.stdout) as Report;
    assert.match(report.partial ?? "", /refused 20 of 30/);
    assert.equal(report.sections[0]?.rows.at(-1)?.summary?.samples, 10);
    assertNothingLeft(host);
  });
});

test("an interrupt keeps what was measured, marks it, and removes what was deployed", async () => {
  await withModules(async (cwd) => {
    await using host = await startAnsweringHost();
    const argv = ["bench", "warm", "fast.wasm", "--url", host.url, "--seconds", "60", "--json"];
    await using running = startCli(argv, { cwd });
    await until(() => host.received.filter(({ target }) => target.startsWith("/fn/")).length > 130, "calls");
    assert.equal(host.functions.size, 1);
    running.interrupt();
    const result = await running.done;
    assert.equal(result.exitCode, 130);
    const report = JSON.parse(result.stdout) as Report;
    assert.match(report.partial ?? "", /^interrupted after/);
    assert.ok((report.sections[0]?.rows.at(-1)?.summary?.samples ?? 0) > 10);
    assert.match(result.stderr, /Interrupted: what bench deployed is removed/);
    assertNothingLeft(host);
  });
});

test("an interrupt waits for no call that does not come back", async () => {
  await withModules(async (cwd) => {
    await using host = await startAnsweringHost();
    const held: unknown[] = [];
    host.call = (_request, response) => held.push(response);
    await using running = startCli(["bench", "throughput", "fast.wasm", "--url", host.url], { cwd });
    await until(() => held.length > 0, "the call");
    running.interrupt();
    assert.equal((await running.done).exitCode, 130);
    assertNothingLeft(host);
  });
});

test("an interrupt during a deploy waits for it, so that it can be removed", async () => {
  await withModules(async (cwd) => {
    await using host = await startFakeHost();
    const json = { "content-type": "application/json" };
    const held: (() => void)[] = [];
    host.answer = (request, response) => {
      if (request.method === "PUT") return held.push(() => response.writeHead(201, json).end('{"name":"x"}'));
      return response.writeHead(request.target === "/v1/limits" ? 200 : 404, json).end("{}");
    };
    await using running = startCli(["bench", "cold", "fast.wasm", "--copies", "3", "--url", host.url], {
      cwd,
    });
    await until(() => held.length === 4, "the uploads");
    running.interrupt();
    host.answer = null;
    for (const answer of held) answer();
    const { exitCode } = await running.done;
    assert.equal(exitCode, 130);
    assert.equal(host.received.filter(({ method }) => method === "DELETE").length, 4);
  });
});

test("Ctrl-C ends a host of bench's own with it, and the report is written", async () => {
  await withModules(async (cwd) => {
    const bin = join(import.meta.dirname, "../../../bin/mayfly.js");
    const argv = [
      bin,
      "bench",
      "warm",
      "fast.wasm",
      "--rate",
      "50",
      "--seconds",
      "100",
      "--json",
      "out.json",
    ];
    const TMPDIR = join(cwd, "tmp");
    await mkdir(TMPDIR);
    const options = { cwd, env: { ...process.env, TMPDIR }, detached: true } as const;
    const child = spawn(process.execPath, argv, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (said += text));
    const ended = once(child, "exit");
    try {
      await until(() => readdirSync(TMPDIR).length > 0, "the folder of its host");
      // From here on an interrupt is as good at any time; most often it meets the host's start.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    } finally {
      // As a terminal does: to the whole group, the host included.
      process.kill(-(child.pid ?? 0), "SIGINT");
    }
    assert.deepEqual(await ended, [130, null], said);
    assert.match(said, /Interrupted: what bench deployed is removed/);
    assert.doesNotMatch(said, /call_failed|connection_lost|overloaded/);
    assert.deepEqual(await readdir(TMPDIR), []);
  });
});

test("versions whose time in the guest is not told, or is nothing, are not compared by it", async () => {
  await withModules(async (cwd) => {
    await using host = await startAnsweringHost();
    host.call = (_request, response) =>
      response.writeHead(200, { "server-timing": "run;dur=0.000" }).end("fine");
    const argv = ["bench", "compare", "fast.wasm", "trap.wasm", "--measure", "guest-run", "--url", host.url];
    const result = await cli(argv, { cwd });
    assert.equal(result.exitCode, 1);
    assert.match(result.stderr, /^Cannot compare by guest-run: .*; compare end-to-end\n$/);
    assertNothingLeft(host);
  });
});

test("what the host does not let go is named, with the commands that remove it", async () => {
  await withModules(async (cwd) => {
    await using host = await startFakeHost();
    host.call = (_request, response) => {
      host.answer = (_any, refused) => problem(refused, 503, "overloaded", "It is shutting down");
      return response.writeHead(500).end();
    };
    const result = await cli(["bench", "warm", "fast.wasm", "--url", host.url], { cwd });
    assert.equal(result.exitCode, 1);
    const [, name = ""] = /\n {2}mayfly remove (bench-[0-9a-f]{8}-warm) --url http/.exec(result.stderr) ?? [];
    assert.ok(host.functions.has(name), result.stderr);
  });
});

test("wrong calls of bench say what to type instead", async () => {
  await withModules(async (cwd) => {
    await mkdir(join(cwd, "two"));
    for (const name of ["one.wasm", "other.wasm"]) await writeFile(join(cwd, "two", name), "");
    await writeFile(join(cwd, "text.wasm"), "hello");
    const url = ["--url", "http://127.0.0.1:1"];
    const wrong: [argv: string[], exitCode: number, says: RegExp][] = [
      [
        [],
        2,
        /^Name what to bench: cold, warm, throughput, burst, isolation, density, compare\nUsage: mayfly bench/,
      ],
      [["cool", "fast.wasm"], 2, /Unknown command 'cool'\n\(Did you mean cold\?\)/],
      [["cold"], 2, /Missing required argument 'function'\nUsage: mayfly bench cold <function>/],
      [["compare", "fast.wasm"], 2, /Missing required argument 'b'\nUsage: mayfly bench compare <a> <b>/],
      [
        ["cold", "fast.wasm", "--restart", ...url],
        2,
        /^--restart restarts the host that bench starts itself/,
      ],
      [["cold", "fast.wasm", "--copies", "0"], 2, /^--copies is "0", want a whole number from 1 to 10000/],
      [["warm", "fast.wasm", "--rate", "fast"], 2, /^--rate is "fast", want a number from 0.1/],
      [
        ["compare", "a.wasm", "b.wasm", "--max-regression", "0.1"],
        2,
        /--max-regression is "0.1", want .* 10%/,
      ],
      [
        ["compare", "a.wasm", "b.wasm", "--measure", "x"],
        2,
        /^--measure is "x", want end-to-end or guest-run/,
      ],
      [["cold", "hello"], 2, /^There is no file or folder "hello"; .*--url/],
      [["cold", "no/hello"], 2, /^There is no file or folder "no\/hello"\n/],
      [["cold", "two"], 2, /^Cannot tell which file of "two" is the function: it has one.wasm, other.wasm/],
      [["cold", "absent.wasm"], 1, /^Cannot read "absent.wasm": there is no such file or folder/],
      [["cold", "fast.wasm", "--config", "cpuMs"], 2, /^Cannot read "cpuMs", want KEY=VALUE/],
      [
        ["cold", "fast.wasm", "--html", "no/such/page.html"],
        1,
        /^Cannot write "no\/such\/page.html": there is no/,
      ],
      [["warm", "fast.wasm", "-X", "GE T"], 2, /^Cannot use "GE T" as a method/],
    ];
    for (const [argv, exitCode, says] of wrong) {
      const result = await cli(["bench", ...argv], { cwd });
      assert.equal(result.exitCode, exitCode, `${argv.join(" ")}: ${result.stderr}`);
      assert.match(result.stderr, says);
      assert.equal(result.stdout, "");
    }
  });
});

function assertNothingLeft(host: FakeHost): void {
  assert.deepEqual([...host.functions.keys()], []);
}
