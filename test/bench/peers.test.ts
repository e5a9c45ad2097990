// The comparison with peers, end to end and small: bare node:http is measured, what is missing or fails is
// left out with its reason, and every peer that is installed here answers as Mayfly does.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mayfly, mayflyRestarted } from "../../bench/peers/adapters/mayfly.ts";
import { nodeHttp } from "../../bench/peers/adapters/node-http.ts";
import { functionFolder } from "../../bench/peers/function-folder.ts";
import { functionsNeeded, measure } from "../../bench/peers/measure.ts";
import { type FunctionFolder, nameOf, type Peer } from "../../bench/peers/peer.ts";
import { peers } from "../../bench/peers/peers.ts";
import { startNode } from "../../bench/peers/start.ts";
import { compileFunction } from "../../host/build/compile.ts";

const hello = join(import.meta.dirname, "../../guest/examples/hello/index.ts");
const settings = {
  rounds: 2,
  connections: 2,
  warmUpSeconds: 0,
  loadSeconds: 0.2,
  warmCallsMax: 3,
  warmMsMax: 1_000,
  coldCalls: 2,
};

let functions: FunctionFolder & AsyncDisposable;

before(async () => {
  const wasm = compileFunction({ file: hello, optimize: false }).then((built) => built.wasm);
  functions = await functionFolder(functionsNeeded(settings), wasm);
});

after(() => functions[Symbol.asyncDispose]());

test("a peer is measured round by round; a missing, a wrong and a failing one are left out with why", async () => {
  const missing: Peer = { ...nodeHttp, name: "missing", find: async () => ({ missing: "it is not here" }) };
  // Serves no functions: its answers are checked before anything is timed.
  const wrong: Peer = {
    ...nodeHttp,
    name: "wrong",
    find: async () => ({ version: "1", start: () => startNode("node-http.js", "/nowhere") }),
  };
  // Has the function that is called warm, and none to be called for the first time.
  await using one = await functionFolder(1, Promise.resolve(functions.wasm));
  const failing: Peer = {
    ...nodeHttp,
    name: "failing",
    find: async () => ({ version: "1", start: () => startNode("node-http.js", one.path) }),
  };

  const said: string[] = [];
  const results = await measure([nodeHttp, missing, wrong, failing], functions, settings, (step) =>
    said.push(step),
  );

  const [row, ...others] = results.measured;
  assert.ok(row);
  assert.deepEqual(others, []);
  assert.equal(row.peer.name, "bare node:http");
  assert.equal(row.version, `Node ${process.versions.node}`);
  for (const values of [row.samples.warmP50Ms, row.samples.warmP99Ms, row.samples.coldP50Ms]) {
    assert.equal(values.length, 2);
    assert.ok(values.every((ms) => ms > 0));
  }
  assert.ok(row.samples.callsPerSecond.every((calls) => calls > 0));
  assert.equal(row.samples.coldMs.length, 4);
  const reasons = new Map(results.notMeasured.map(({ peer, reason }) => [peer.name, reason]));
  assert.deepEqual([...reasons.keys()], ["missing", "wrong", "failing"]);
  assert.equal(reasons.get("missing"), "it is not here");
  assert.match(reasons.get("wrong") ?? "", /it answered 500 .*ENOENT/);
  assert.match(reasons.get("failing") ?? "", /failed in round 1: .*500 .*ENOENT/);
  assert.deepEqual(
    said.filter((step) => step.includes("round 2")),
    ["round 2 of 2: bare node:http"],
  );
});

test("copies of the function differ in what is compiled, and are gone with their folder", async () => {
  const folder = await functionFolder(2, Promise.resolve(functions.wasm));
  assert.ok(existsSync(join(folder.path, `${nameOf(1)}.wasm`)));
  await folder[Symbol.asyncDispose]();
  assert.equal(existsSync(folder.path), false);
});

test("every peer that is installed here answers as Mayfly does", async (context) => {
  const others = peers.filter((peer) => peer !== mayfly && peer !== mayflyRestarted && peer !== nodeHttp);
  for (const peer of others) {
    const found = await peer.find();
    const missing = "missing" in found ? found.missing : false;
    await context.test(peer.name, { skip: missing }, async () => {
      const { measured, notMeasured } = await measure(
        [peer],
        functions,
        { ...settings, rounds: 0 },
        () => {},
      );
      assert.deepEqual(notMeasured, []);
      assert.equal(measured.length, 1);
    });
  }
});
