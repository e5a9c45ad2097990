// The programs of guest/examples in other languages, built by their own compilers and called over HTTP. What is
// not on the machine is skipped, and says so; the ABI itself is tested beside this file without any of them.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { buildProgram, type Toolchain, toolchains } from "../../scripts/toolchains.ts";
import { StreamClient } from "../support/stream-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import { upload } from "../support/uploads.ts";

const host = await TestHost.start();
after(() => host.close());

const cases: readonly (readonly [Toolchain, string])[] = [
  [toolchains.c, "hello.c"],
  [toolchains.rust, "hello.rs"],
  [toolchains.go, "plain.go"],
  [toolchains.go, "main.go"],
  [toolchains.zig, "hello.zig"],
];
const missing = new Map(
  await Promise.all(cases.map(async ([toolchain]) => [toolchain, await toolchain.missing()] as const)),
);
const skipped = (toolchain: Toolchain): { skip: string | false; timeout: number } => ({
  skip: missing.get(toolchain) ?? false,
  // Go compiles its whole library the first time.
  timeout: 300_000,
});

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
/** What takes minutes to build where it has not been built before. */
const long = new Map([["main.go", "Go compiles the whole of net/http for it: npm run soak"]]);

for (const [toolchain, source] of cases) {
  const { language } = toolchain;
  const options = skipped(toolchain);
  const skip = options.skip || (!soak && long.get(source));
  test(`${language}: ${source} says hello`, { ...options, skip: skip || false }, async () => {
    const name = `hello-${language}-${source.replace(/\..*/, "")}`;
    await host.deploy(name, await buildProgram(toolchain, source));
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await host.ask("GET", `/fn/${name}?name=Ada`)).text, "Hello, Ada!");
    }
    const answer = await host.ask("GET", `/fn/${name}`);
    assert.deepEqual(
      [answer.status, answer.text, answer.header("content-type")],
      [200, "Hello, world!", "text/plain; charset=utf-8"],
    );
  });
}

test(
  "c: a program finds its files, its body and a /tmp of its own, and nothing else",
  skipped(toolchains.c),
  async () => {
    const module = await buildProgram(toolchains.c, "files.c");
    const files = [
      ["index.txt", "at the root"],
      ["deep/er/page.txt", "x".repeat(100_000)],
    ] as const;
    assert.equal((await upload(host, "files", module, files)).status, 201);
    assert.equal((await host.ask("GET", "/fn/files/index.txt")).text, "at the root");
    assert.equal((await host.ask("GET", "/fn/files/deep/er/page.txt")).text, "x".repeat(100_000));
    for (const path of [
      "none",
      "deep/../../etc/passwd",
      "%2e%2e/%2e%2e/etc/passwd",
      "/etc/passwd",
      "tmp/body",
    ]) {
      assert.equal((await host.ask("GET", `/fn/files/${path}`)).status, 404, path);
    }
    const lines = await host.call("files", { body: "line\n".repeat(20_000) });
    assert.equal(lines.text, "20000 lines\n");
    // What one call wrote is not there for the next.
    assert.equal((await host.ask("GET", "/fn/files/tmp/body")).status, 404);
    assertProblem(await host.ask("PUT", "/fn/files", { body: "x" }), 502, "program_failed");
  },
);

test(
  "c: a program answers while its request comes, and to one that has come",
  skipped(toolchains.c),
  async () => {
    await host.deploy("upper", await buildProgram(toolchains.c, "upper.c"));
    await host.configure("upper", { cpuMs: 60_000 });
    const client = StreamClient.open(host.port, "/fn/upper", { method: "POST" });
    for (const piece of ["one", "two"]) {
      client.request.write(piece);
      assert.equal((await client.read(3)).toString(), piece.toUpperCase());
    }
    client.request.end("x".repeat(10_000_000));
    assert.deepEqual(await client.rest(), { bytes: 10_000_000, whole: true });
    assert.equal((await host.call("upper", { body: "short" })).text, "SHORT");
  },
);

test("zig: a program finds its files and its body, and nothing else", skipped(toolchains.zig), async () => {
  const module = await buildProgram(toolchains.zig, "files.zig");
  const page = "x".repeat(100_000);
  const files = [
    ["index.txt", "at the root"],
    ["deep/er/page.txt", page],
  ] as const;
  assert.equal((await upload(host, "files-zig", module, files)).status, 201);
  assert.equal((await host.ask("GET", "/fn/files-zig/index.txt")).text, "at the root");
  assert.equal((await host.ask("GET", "/fn/files-zig/deep/er/page.txt")).text, page);
  for (const path of ["none", "deep", "deep/../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"]) {
    const answer = await host.ask("GET", `/fn/files-zig/${path}`);
    assert.deepEqual([answer.status, answer.text], [404, "no such file\n"], path);
  }
  assert.equal((await host.call("files-zig", { body: page })).text, page.toUpperCase());
});
