// Holds `mayfly deploy` to docs/cli.md against a fake host: what it sends, in which order, and what
// it prints.

import assert from "node:assert/strict";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { decodeTree } from "../../host/files/file-tree.ts";
import { startFakeHost } from "./fake-host.ts";
import { buildError, otherWasm, wasm, withFolder } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

test("deploy uploads a .wasm file and prints version, digest and URL", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    const first = await cli(["deploy", "hello", "hello.wasm", "--url", host.url], { cwd });
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(first.stdout, /^Deployed hello v1 sha256:[0-9a-f]{12} \(8 B\)\n/);
    assert.ok(first.stdout.endsWith(`\n${host.url}/fn/hello\n`));
    const [put] = host.received;
    assert.equal(put?.method, "PUT");
    assert.equal(put?.target, "/v1/functions/hello");
    assert.equal(put?.headers["content-type"], "application/wasm");
    assert.deepEqual(put?.body, wasm);

    const again = await cli(["deploy", "hello", "hello.wasm"], { cwd, env: { MAYFLY_URL: host.url } });
    assert.equal(again.exitCode, 0);
    assert.match(again.stdout, /^hello v1 has these bytes already and is live\n/);
  });
});

test("deploy compiles a .ts file and shows the compiler's warnings on stderr", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    const sources: unknown[] = [];
    const modules = {
      compileFunction: async (source: unknown) => {
        sources.push(source);
        return { wasm: otherWasm, warnings: "hello.ts:1:1: warning: odd\n" };
      },
    };
    const result = await cli(["deploy", "hello", "hello.ts", "--url", host.url, "--json"], { cwd, modules });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.deepEqual(sources, [{ file: "hello.ts", cwd, optimize: true }]);
    assert.equal(result.stderr, "hello.ts:1:1: warning: odd\n");
    const document = JSON.parse(result.stdout);
    assert.equal(document.version, 1);
    assert.equal(document.url, `${host.url}/fn/hello`);
    assert.equal(document.changed, true);
    assert.deepEqual(host.received[0]?.body, otherWasm);
  });
});

test("deploy prints a build error as it is and uploads nothing", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    const modules = {
      compileFunction: () => Promise.reject(buildError("hello.ts:3:7: error TS1005: ';' expected")),
    };
    const result = await cli(["deploy", "hello", "hello.ts", "--env", "A=1", "--url", host.url], {
      cwd,
      modules,
    });
    assert.equal(result.exitCode, 1);
    assert.equal(result.stderr, "hello.ts:3:7: error TS1005: ';' expected\n");
    assert.deepEqual(host.received, []);
  });
});

test("deploy --env merges into the configuration before it uploads", async () => {
  await using host = await startFakeHost();
  host.configs.set("hello", { timeoutMs: 500, env: { KEEP: "1", CHANGE: "old" } });
  await withFolder(async (cwd) => {
    const pairs = ["--env", "CHANGE=new=er", "EMPTY=", "--env", "toString=x"];
    const result = await cli(["deploy", ...pairs, "hello", "hello.wasm", "--url", host.url], { cwd });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.deepEqual(
      host.received.map(({ method, target }) => `${method} ${target}`),
      ["GET /v1/functions/hello/config", "PUT /v1/functions/hello/config", "PUT /v1/functions/hello"],
    );
    const sent = JSON.parse(host.received[1]?.body.toString() ?? "");
    assert.equal(sent.timeoutMs, 500);
    assert.deepEqual(Object.entries(sent.env).sort(), [
      ["CHANGE", "new=er"],
      ["EMPTY", ""],
      ["KEEP", "1"],
      ["toString", "x"],
    ]);
  });
});

test("deploy --env that fails leaves the function the variables it had", async () => {
  await using host = await startFakeHost();
  const before = { timeoutMs: 500, env: { KEEP: "1" } };
  host.configs.set("hello", before);
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "bad.wasm"), "not wasm");
    const result = await cli(["deploy", "hello", "bad.wasm", "--env", "KEEP=2", "--url", host.url], { cwd });
    assert.equal(result.exitCode, 1);
    assert.match(result.stderr, /^invalid_module: /);
    const { timeoutMs, env } = host.configs.get("hello") ?? {};
    assert.deepEqual({ timeoutMs, env }, before);
  });
});

test("deploy --env works for a function that does not exist yet", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    const result = await cli(["deploy", "new", "hello.wasm", "--env", "A=1", "--url", host.url], { cwd });
    assert.equal(result.exitCode, 0, result.stderr);
    assert.deepEqual(host.configs.get("new")?.env, { A: "1" });
  });
});

test("deploy shows the host's refusal as code and detail", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "bad.wasm"), "not wasm");
    const argv = ["deploy", "hello", "bad.wasm", "--url", host.url];
    const text = await cli(argv, { cwd });
    assert.equal(text.exitCode, 1);
    assert.equal(text.stdout, "");
    assert.equal(text.stderr, "invalid_module: This is no WebAssembly module\n");
    const json = await cli([...argv, "--json"], { cwd });
    assert.equal(json.exitCode, 1);
    assert.equal(json.stdout, "");
    const document = JSON.parse(json.stderr);
    assert.equal(document.code, "invalid_module");
    assert.equal(document.status, 422);
    assert.equal(document.problem.detail, "This is no WebAssembly module");
  });
});

test("deploy names a file that is not there, or a folder", async () => {
  await withFolder(async (cwd) => {
    const missing = await cli(["deploy", "hello", "gone.wasm"], { cwd });
    assert.equal(missing.exitCode, 1);
    assert.equal(missing.stderr, 'Cannot read "gone.wasm": there is no such file or folder\n');
    const gone = await cli(["deploy", "hello", "gone.ts"], { cwd });
    assert.equal(gone.stderr, 'Cannot read "gone.ts": there is no such file or folder\n');
  });
});

test("deploy --files sends the module and the packed folder as one form", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await mkdir(join(cwd, "site/deep"), { recursive: true });
    await writeFile(join(cwd, "site/index.txt"), "index");
    await writeFile(join(cwd, "site/deep/page"), "page");
    host.answer = (_request, response) => {
      response.writeHead(201, { "content-type": "application/json" });
      response.end(JSON.stringify({ name: "hello", version: 1, digest: "sha256:00", bytes: 8 }));
    };
    const result = await cli(["deploy", "hello", "hello.wasm", "--files", "site", "--url", host.url], {
      cwd,
    });
    assert.equal(result.exitCode, 0, result.stderr);
    const [put] = host.received;
    const type = put?.headers["content-type"] ?? "";
    assert.match(type, /^multipart\/form-data; boundary=/);
    const form = await new Response(put?.body && new Uint8Array(put.body), {
      headers: { "content-type": type },
    }).formData();
    const bytesOf = async (field: string) => {
      const part = form.get(field);
      assert.ok(part instanceof File, field);
      return new Uint8Array(await part.arrayBuffer());
    };
    assert.deepEqual(Buffer.from(await bytesOf("module")), wasm);
    const files = decodeTree(await bytesOf("files"));
    assert.deepEqual(
      files.map(({ path, bytes }) => [path, bytes && Buffer.from(bytes).toString()]),
      [
        ["deep/page", "page"],
        ["index.txt", "index"],
      ],
    );
  });
});

test("deploy --files refuses what it cannot carry, and says what to do, before it sends anything", async () => {
  await using host = await startFakeHost();
  await withFolder(async (cwd) => {
    await mkdir(join(cwd, "site"));
    await symlink("/etc/passwd", join(cwd, "site/link"));
    // Larger than can be read at once, and holding nothing on the disk.
    await mkdir(join(cwd, "large"));
    await writeFile(join(cwd, "large/film.mp4"), "");
    await truncate(join(cwd, "large/film.mp4"), 3 * 1024 ** 3);
    for (const [folder, wanted] of [
      ["site", /"link": it is a link .* put a copy of what it leads to in its place/],
      ["large", /"film.mp4": it has 3221.2 MB, a version carries 67.1 MB at most; leave it out, or keep/],
      ["hello.wasm", /"hello.wasm": it is a file, want a folder/],
      ["none", /there is no such file or folder/],
    ] as const) {
      const result = await cli(["deploy", "hello", "hello.wasm", "--files", folder, "--url", host.url], {
        cwd,
      });
      assert.equal(result.exitCode, 1);
      assert.match(result.stderr, wanted);
    }
    assert.deepEqual(host.received, []);
  });
});
