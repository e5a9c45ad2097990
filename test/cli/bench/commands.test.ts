// Each command of bench once, with few samples: that it measures what it says, reports it in every form,
// and leaves nothing behind. Against hosts in this process, and the last one against a host of its own.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Report, ReportSection } from "../../../host/cli/bench/report.ts";
import { answering } from "../../support/guests.ts";
import { TestHost } from "../../support/test-host.ts";
import { type CliResult, cli } from "../run-cli.ts";
import { slow, startAnsweringHost, withModules } from "./guests.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("kept", answering("kept"));
await host.deploy("slow", slow(1_000_000));
const { url } = host.host;

const tiny: Readonly<Record<string, readonly string[]>> = {
  cold: ["--copies", "3", "--later", "2"],
  warm: ["--rate", "10", "--seconds", "0.4"],
  throughput: ["--clients", "4", "--seconds", "0.4"],
  burst: ["--calls", "20", "--bursts", "2", "--rest", "0"],
  isolation: ["--clients", "2", "--rounds", "2", "--seconds", "0.02"],
  density: ["--functions", "4"],
};

test("each command measures a file on a given host and removes what it deployed", async () => {
  await withModules(async (cwd) => {
    await using fake = await startAnsweringHost();
    for (const [command, options] of Object.entries(tiny)) {
      fake.received.length = 0;
      const argv = ["bench", command, "fast.wasm", "--url", fake.url, ...options, "--json"];
      const result = await cli(argv, { cwd });
      assert.equal(result.exitCode, 0, `${command}: ${result.stderr}`);
      const report = reportOf(result);
      assert.equal(report.command, command);
      assert.deepEqual(report.functions, ["fast"]);
      assert.equal(report.partial, null);
      assert.equal(report.host.own, false);
      const measured = report.sections.filter(({ stack }) => stack.length > 0);
      assert.ok(measured.length > 0, command);
      for (const section of measured) assertWhole(section);
      const uploads = fake.received.filter(
        ({ method, target }) => method === "PUT" && !/config$/.test(target),
      );
      assert.equal(new Set(uploads.map(({ body }) => body.toString("hex"))).size, uploads.length, command);
      assert.deepEqual([...fake.functions.keys()], [], command);
    }
  });
});

test("cold deploys so many copies and two of its own, and calls each once cold", async () => {
  await withModules(async (cwd) => {
    await using fake = await startAnsweringHost();
    const argv = ["bench", "cold", "fast.wasm", "--url", fake.url, ...(tiny["cold"] ?? []), "--json"];
    const { sections, figures } = reportOf(await cli(argv, { cwd }));
    const [starts, first, later] = sections;
    assert.equal(row(starts, "deploy of a copy, 4 at a time")?.samples, 5);
    assert.equal(row(first, "end to end")?.samples, 3);
    assert.equal(row(first, "compile"), null);
    assert.equal(row(later, "end to end")?.samples, 6);
    assert.ok(
      figures.some(({ name, samples }) => name === "cold against warm since a deploy, p50" && samples === 3),
    );
    const calls = fake.received.filter(({ target }) => target.startsWith("/fn/")).map(({ target }) => target);
    // Each copy's first call is followed by its later ones.
    assert.equal(calls.slice(-9).filter((target, index, all) => target !== all[index - 1]).length, 3);
  });
});

test("isolation sets the dial on copies, each setting on one", async () => {
  await withModules(async (cwd) => {
    await using fake = await startAnsweringHost();
    const argv = ["bench", "isolation", "fast.wasm", "--url", fake.url, "--config", "cpuMs=777"];
    const { figures } = reportOf(await cli([...argv, ...(tiny["isolation"] ?? []), "--json"], { cwd }));
    const set = [...fake.configs.values()].map(({ isolation, cpuMs }) => [isolation, cpuMs]);
    assert.deepEqual(set, [
      ["fresh", 777],
      ["snapshot", 777],
      ["reuse", 777],
      ["dedicated", 777],
    ]);
    for (const kind of ["snapshot", "reuse", "dedicated"]) {
      assert.ok(
        figures.some(({ name, samples }) => name === `${kind} against fresh` && samples === 2),
        kind,
      );
    }
  });
});

test("a deployed function is called where it is, and copies of it have its bytes and configuration", async () => {
  await host.configure("kept", { cpuMs: 777 });
  const burst = await cli(["bench", "burst", "kept@1", "--url", url, ...(tiny["burst"] ?? []), "--json"]);
  assert.equal(burst.exitCode, 0, burst.stderr);
  const { sections, timeline, figures } = reportOf(burst);
  assert.equal(row(sections[0], "end to end")?.samples, 40);
  assert.ok(timeline.length > 0 && timeline.every(({ threads }) => threads > 0));
  assert.equal(figures.find(({ name }) => name === "last answer after")?.samples, 2);
  const few = ["--copies", "1", "--later", "1", "--json"];
  const cold = await cli(["bench", "cold", "kept", "--url", url, ...few]);
  assert.equal(cold.exitCode, 0, cold.stderr);
  const report = reportOf(cold);
  assert.equal(row(report.sections.at(-1), "guest run")?.samples, 1);
  const figure = (name: string) => report.figures.find((each) => each.name === name);
  assert.ok((figure("memory of the host process")?.estimate?.value ?? 0) > 1_000_000);
  assert.equal(figure("memory per live instance")?.estimate, null);
  assert.match(figure("memory per idle function")?.note ?? "", /a host of bench's own alone/);
  const config = (await host.ask("GET", "/v1/functions/kept/config")).json() as { cpuMs: number };
  assert.equal(config.cpuMs, 777);
  await assertNothingLeft();
});

test("a folder is built, and its example says what is sent unless options do", async () => {
  await using fake = await startAnsweringHost();
  const compiled = { wasm: new Uint8Array(answering("built")), warnings: "" };
  const options = {
    cwd: join(import.meta.dirname, "../../.."),
    modules: { compileFunction: async () => compiled },
  };
  const argv = ["bench", "warm", "guest/examples/json-api", "--url", fake.url, ...(tiny["warm"] ?? [])];
  const plain = await cli(argv, options);
  assert.equal(plain.exitCode, 0, plain.stderr);
  const sent = () => fake.received.findLast(({ target }) => target.startsWith("/fn/"));
  assert.match(`${sent()?.method} ${sent()?.target}`, /^POST \/fn\/bench-[0-9a-f]{8}-warm\/orders$/);
  assert.equal(sent()?.headers["content-type"], "application/json");
  assert.match(sent()?.body.toString() ?? "", /"customer":"Ada"/);
  const own = await cli([...argv, "-p", "/x?y=1", "-X", "PUT", "-d", "two", "-H", "a: b"], options);
  assert.equal(own.exitCode, 0, own.stderr);
  assert.match(`${sent()?.method} ${sent()?.target}`, /^PUT .*\/x\?y=1$/);
  assert.deepEqual([sent()?.headers["a"], sent()?.headers["content-type"]], ["b", undefined]);
  assert.equal(sent()?.body.toString(), "two");
});

test("compare with a limit exits 1 for a slower B, and 0 for the same and for a faster one", async () => {
  const few = ["--rounds", "8", "--calls", "8", "--url", url, "--json"];
  const compare = async (a: string, b: string): Promise<[number, string | undefined]> => {
    const result = await cli(["bench", "compare", a, b, "--max-regression", "20%", ...few]);
    return [result.exitCode, reportOf(result).verdict?.outcome];
  };
  assert.deepEqual(await compare("kept", "slow@1"), [1, "slower"]);
  assert.deepEqual(await compare("slow@1", "kept"), [0, "not slower"]);
  assert.equal((await compare("kept", "kept"))[0], 0);
});

test("a function that traps is named with what it answered, and removed", async () => {
  await withModules(async (cwd) => {
    const trapped = await cli(["bench", "warm", "trap.wasm", "--url", url], { cwd });
    assert.equal(trapped.exitCode, 1);
    assert.match(trapped.stderr, /^A call of bench-[0-9a-f]{8}-warm answered 502: guest_trapped: /);
    await assertNothingLeft();
  });
});

test("what is no module, and a function that is not deployed, fail with a reason", async () => {
  await withModules(async (cwd) => {
    await writeFile(join(cwd, "text.wasm"), "hello, I am no module");
    const text = await cli(["bench", "cold", "text.wasm", "--url", url], { cwd });
    assert.equal(text.exitCode, 1);
    assert.match(text.stderr, /^Cannot read text as a module: /);
    const absent = await cli(["bench", "warm", "absent", "--url", url], { cwd });
    assert.equal(absent.exitCode, 1);
    assert.match(absent.stderr, /^function_not_found: The host has no function "absent"/);
    await assertNothingLeft();
  });
});

test("cold on a host of its own measures starts, threads, loading and compiling, and leaves no folder", async () => {
  await withModules(async (cwd) => {
    const few = ["--copies", "1", "--starts", "1", "--later", "1", "--instances", "16"];
    const files = ["--json", "out.json", "--html", "out.html"];
    const TMPDIR = join(cwd, "tmp");
    await mkdir(TMPDIR);
    const argv = ["bench", "cold", "fast.wasm", "--restart", ...few, ...files];
    const result = await cli(argv, { cwd, env: { TMPDIR } });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(result.stdout, /process start +2 /);
    assert.match(result.stdout, /worker start +1 /);
    const report = JSON.parse(await readFile(join(cwd, "out.json"), "utf8")) as Report;
    const [starts, restarted] = report.sections;
    for (const phase of ["module load", "compile", "instantiate", "guest run", "end to end"]) {
      assert.equal(row(restarted, phase)?.samples, 1, phase);
    }
    assert.ok((row(starts, "process start")?.p50.value ?? 0) > (row(restarted, "compile")?.max ?? 1e9));
    const known = (name: string) => report.figures.find((figure) => figure.name === name)?.estimate ?? null;
    for (const name of [
      "memory of the host process",
      "memory per idle function",
      "memory per live instance",
    ]) {
      assert.notEqual(known(name), null, name);
    }
    assert.match(await readFile(join(cwd, "out.html"), "utf8"), /^<!doctype html>/);
    assert.deepEqual(await readdir(TMPDIR), []);
  });
});

async function assertNothingLeft(): Promise<void> {
  const { functions } = (await host.ask("GET", "/v1/functions")).json() as { functions: { name: string }[] };
  assert.deepEqual(functions.map(({ name }) => name).sort(), ["kept", "slow"]);
}

/** Every row counts its samples, and what was called has an end to end time that is no less than its parts. */
function assertWhole({ title, rows }: ReportSection): void {
  const endToEnd = rows.find(({ name }) => name === "end to end")?.summary;
  assert.ok(endToEnd !== null && endToEnd !== undefined && endToEnd.samples > 0, title);
  assert.ok(endToEnd.p50.value <= endToEnd.p90.value && endToEnd.p99.value <= endToEnd.max, title);
  const run = rows.find(({ name }) => name === "guest run")?.summary;
  assert.ok(run !== null && run !== undefined && run.p50.value <= endToEnd.max, title);
}

function row(section: ReportSection | undefined, name: string) {
  return section?.rows.find((each) => each.name === name)?.summary ?? null;
}

function reportOf(result: CliResult): Report {
  return JSON.parse(result.stdout) as Report;
}
