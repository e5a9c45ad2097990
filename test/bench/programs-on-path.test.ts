// The peers that are programs on the path: found there, started as they want to be, and given the component.
// The programs are stand-ins that check how they are called and greet.

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { spin } from "../../bench/peers/adapters/spin.ts";
import { wasmtime } from "../../bench/peers/adapters/wasmtime.ts";
import { measure } from "../../bench/peers/measure.ts";

const path = process.env["PATH"];
let folder = "";

/** Finds its address and its component, and serves only when the latter is one. */
const program = `#!${process.execPath}
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const args = process.argv.slice(2);
if (args[0] === "--version") {
  console.log("program 12.3.4 (0123abc 2030-01-02)");
  process.exit(0);
}
const after = (flag) => args[args.indexOf(flag) + 1];
const isSpin = args[0] === "up";
const [host, port] = after(isSpin ? "--listen" : "--addr").split(":");
const file = isSpin
  ? join(dirname(after("--from")), /source = "(.*)"/.exec(readFileSync(after("--from"), "utf8"))[1])
  : args.at(-1);
if (readFileSync(file).readUInt32LE(4) !== 0x1000d) process.exit(1);
createServer((request, response) => {
  const name = new URL(request.url, "http://x").searchParams.get("name");
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end("Hello, " + name + "!");
}).listen(Number(port), host);
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-test-"));
  await mkdir(join(folder, "functions"));
  for (const name of ["wasmtime", "spin"]) {
    await writeFile(join(folder, name), program);
    await chmod(join(folder, name), 0o755);
  }
});

after(async () => {
  process.env["PATH"] = path;
  await rm(folder, { recursive: true });
});

for (const peer of [wasmtime, spin]) {
  test(`${peer.name} is left out when it is not on the path, and measured when it is`, async () => {
    process.env["PATH"] = tmpdir();
    assert.match(JSON.stringify(await peer.find()), /there is no `(wasmtime|spin)` on the path/);

    process.env["PATH"] = [folder, path].join(delimiter);
    const functions = { path: join(folder, "functions"), count: 1, wasm: new Uint8Array(0) };
    const { measured, notMeasured } = await measure(
      [peer],
      functions,
      {
        rounds: 0,
        connections: 1,
        warmUpSeconds: 0,
        loadSeconds: 0,
        warmCallsMax: 0,
        warmMsMax: 0,
        coldCalls: 0,
      },
      () => {},
    );
    assert.deepEqual(notMeasured, []);
    assert.deepEqual(
      measured.map(({ version }) => version),
      ["12.3.4"],
    );
  });
}
