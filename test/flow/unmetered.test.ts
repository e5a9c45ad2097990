// `--allow-unmetered`: what the host cannot meter is refused with a word on the setting, and with it runs
// as it was uploaded, on threads of its own, within limits that end those threads.

import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { withFolder } from "../cli/fixtures.ts";
import { cli } from "../cli/run-cli.ts";
import { answering, assemble, literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { StreamClient } from "../support/stream-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import "../support/unmetered-engine.ts";
import * as raw from "../wasm/module-bytes.ts";

const answerBytes = responseMessage({ body: "struct?" });
/** The body that makes a guest of structs loop for ever. */
const loops = "x".repeat(1_000);

/** Answers "struct" and the byte that it had in a struct; with a long body it loops for ever instead. */
function structGuest(byte: string, imports: raw.Bytes = []): Uint8Array {
  const { length } = answerBytes;
  assert.ok(length < 64, "one byte of a signed LEB128");
  const endless = [0x20, 0, 0x41, 0xe8, 0x07, 0x4b, 0x04, 0x40, 0x03, 0x40, 0x0c, 0, raw.end, raw.end];
  const throughStruct = [0x41, byte.charCodeAt(0) | 0x80, 0, 0xfb, 0x00, 0, 0xfb, 0x02, 0, 0];
  const imported = imports.length === 0 ? 1 : 2;
  return raw.module(
    raw.types([0x5f, 1, raw.i32, 1], raw.functionType([raw.i32]), raw.functionType([raw.i32, raw.i32])),
    raw.section(2, [imported, raw.name("mayfly"), raw.name("response_write"), 0, 2, ...imports]),
    raw.section(3, [1, 1]),
    raw.section(5, [1, 0, 1]),
    raw.section(
      7,
      raw.vector([
        [raw.name("memory"), 2, 0],
        [raw.name("mayfly_handle"), 0, imported],
      ]),
    ),
    raw.section(
      10,
      raw.vector([
        raw.body(...endless, 0x41, length - 1, ...throughStruct, 0x3a, 0, 0, 0x41, 0, 0x41, length, 0x10, 0),
      ]),
    ),
    raw.section(11, [1, 0, 0x41, 0, raw.end, raw.sized([answerBytes])]),
  );
}

/** As `guest`, with a memory that keeps it from being metered. */
const guest64 = (body: string, fields = "", imports = ""): Uint8Array =>
  assemble(`(module ${imports} (memory (export "memory") i64 1) ${fields}
    (func (export "mayfly_handle") (param i32) ${body}))`);

const host = await TestHost.start({ allowUnmetered: true });
after(() => host.close());
await host.deploy("neighbour", answering("metered"));

const shown = async (of: TestHost, path: string): Promise<Record<string, unknown>> =>
  (await of.ask("GET", `/v1/functions/${path}`)).json() as Record<string, unknown>;
const detail = (answer: { json(): unknown }): string => (answer.json() as { detail: string }).detail;

test("what it pushes leaves at once, though it never gives way", async () => {
  const imports = `(import "mayfly" "response_begin" (func $begin (param i32 i32)))
    (import "mayfly" "response_push" (func $push (param i32 i32)))`;
  const head = responseMessage({ status: 200 });
  const pushes = `(call $begin (i32.const 0) (i32.const ${head.length}))
    (call $push (i32.const 0) (i32.const 4)) (loop (br 0))`;
  await host.deploy("pushes", guest64(pushes, `(data (i64.const 0) "${literal(head)}")`, imports));
  const client = StreamClient.open(host.port, "/fn/pushes");
  assert.equal((await client.read(4)).readUInt32LE(), head.length - 4);
  client.close();
  assert.equal((await host.call("neighbour")).text, "metered");
});

test("by default it is refused, with what was found and how it may run all the same", async () => {
  const strict = await TestHost.start({ minWorkers: 0 });
  try {
    const answer = await strict.upload("structs", structGuest("a"));
    assertProblem(answer, 422, "unsupported_feature");
    assert.match(detail(answer), /gc .*--allow-unmetered, or MAYFLY_ALLOW_UNMETERED=true$/);
    assert.equal((answer.json() as { feature: string }).feature, "gc");
    const opcode = await strict.upload("opcode", raw.codeModule(0x01, 0xff));
    assert.match(detail(opcode), /unknown-opcode .* in function 0 at byte \d+, .*--allow-unmetered/);
    const hopeless = await strict.upload(
      "own-name",
      guest64("", `(global (export "mayfly:x") i32 (i32.const 0))`),
    );
    assertProblem(hopeless, 422, "unsupported_feature");
    assert.doesNotMatch(detail(hopeless), /allow-unmetered/);
    const memories = raw.module(raw.section(5, raw.repeat(1_000_000, [0, 0])));
    assertProblem(await strict.upload("memories", memories), 422, "unsupported_feature");
  } finally {
    await strict.close();
  }
});

test("with the setting it is accepted, says so, and answers", async () => {
  const answer = await host.upload("structs", structGuest("s"));
  assert.equal(answer.status, 201, answer.text);
  assert.equal((answer.json() as { metered: boolean }).metered, false);
  assert.equal((await host.upload("structs", structGuest("s"))).status, 200);
  for (let count = 0; count < 3; count += 1) assert.equal((await host.call("structs")).text, "structs");
  const function_ = await shown(host, "structs");
  assert.equal(function_["metered"], false);
  assert.equal((function_["fresh"] as { by: string }).by, "new");
  assert.equal((await shown(host, "neighbour"))["metered"], true);
  await host.deploy("structs", answering("metered now"));
  const { versions } = (await shown(host, "structs/versions")) as { versions: { metered: boolean }[] };
  assert.deepEqual(
    versions.map(({ metered }) => metered),
    [true, false],
  );
  assert.equal((await host.ask("POST", "/fn/structs@1")).text, "structs");
  assert.equal((await host.call("structs")).text, "metered now");
});

for (const [label, memory, offset] of [
  ["64-bit", "i64 1 1", "i64"],
  ["shared", "1 1 shared", "i32"],
]) {
  test(`a ${label} memory serves the ABI`, async () => {
    const message = responseMessage({ body: "0123456789abcdef" });
    const at = message.length - 16;
    const bytes = assemble(`(module
      (import "mayfly" "request_read" (func $read (param i32)))
      (import "mayfly" "response_write" (func $write (param i32 i32)))
      (import "mayfly" "random" (func $random (param i32 i32)))
      (import "mayfly" "log" (func $log (param i32 i32 i32)))
      (memory (export "memory") ${memory})
      (data (${offset}.const 0) "${literal(message)}")
      (func (export "mayfly_handle") (param i32)
        (call $read (i32.const 4096))
        (call $random (i32.const ${at}) (i32.const 8))
        (call $log (i32.const 1) (i32.const ${at + 8}) (i32.const 8))
        (call $write (i32.const 0) (i32.const ${message.length}))))`);
    await host.deploy(`${label}-memory`, bytes);
    const [one, two] = [await host.call(`${label}-memory`), await host.call(`${label}-memory`)];
    assert.match(one.text, /89abcdef$/);
    assert.notDeepEqual(one.bytes, two.bytes);
    assert.equal((await host.logs(`${label}-memory`))[0]?.message, "89abcdef");
    assert.equal((await shown(host, `${label}-memory`))["metered"], false);
  });
}

for (const [code, config] of [
  ["deadline_exceeded", { timeoutMs: 300, cpuMs: 900_000 }],
  ["cpu_exceeded", { timeoutMs: 60_000, cpuMs: 100 }],
] as const) {
  test(`an endless loop ends at its limit as ${code}, and neighbours are answered meanwhile`, async () => {
    await host.deploy("endless", structGuest("e"));
    await host.configure("endless", config);
    const looping = host.call("endless", { body: loops });
    let ended = false;
    const seen = looping.then((answer) => {
      ended = true;
      return answer;
    });
    do assert.equal((await host.call("neighbour")).text, "metered");
    while (!ended);
    assertProblem(await seen, 504, code);
    await host.configure("endless", {});
    assert.equal((await host.call("endless")).text, "structe");
  });
}

test("a thread that ended for a limit is not counted as lost", async () => {
  assert.match((await host.ask("GET", "/metrics")).text, /^mayfly_threads_lost_total 0$/m);
});

test("calls of one function never share a thread: an endless one costs no other its answer", async () => {
  await host.deploy("crowd", structGuest("c"));
  await host.configure("crowd", { timeoutMs: 5_000, cpuMs: 200 });
  const looping = host.call("crowd", { body: loops });
  const answers = await Promise.all(Array.from({ length: 20 }, () => host.call("crowd")));
  assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set(["structc"]));
  assertProblem(await looping, 504, "cpu_exceeded");
});

test("one that waits is stopped where it waits; one that swallows that loses its thread", async () => {
  const sleep = `(import "mayfly" "sleep" (func $sleep (param f64)))`;
  const cases = [
    ["waiting", "(call $sleep (f64.const 600000))"],
    ["swallowing", "(loop (try (do (call $sleep (f64.const 600000))) (catch_all)) (br 0))"],
  ] as const;
  for (const [name, body] of cases) {
    await host.configure(name, { timeoutMs: 300 });
    await host.deploy(name, guest64(body, "", sleep));
    assertProblem(await host.call(name), 504, "deadline_exceeded");
    assertProblem(await host.call(name), 504, "deadline_exceeded");
  }
  assert.equal((await host.call("neighbour")).text, "metered");
});

test("whatever the configuration's isolation is, each call finds a new instance", async () => {
  const message = responseMessage({ body: "0" });
  const at = message.length - 1;
  const counter = guest64(
    `(i32.store8 (i64.const ${at}) (i32.add (i32.load8_u (i64.const ${at})) (i32.const 1)))
     (call $write (i32.const 0) (i32.const ${message.length}))`,
    `(data (i64.const 0) "${literal(message)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
  for (const isolation of ["reuse", "snapshot", "dedicated"]) {
    await host.configure("counting", { isolation });
    await host.deploy("counting", counter);
    for (let count = 0; count < 3; count += 1) assert.equal((await host.call("counting")).text, "1");
  }
});

test("the command line says what is not metered", async () => {
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "said.wasm"), structGuest("d"));
    const { url } = host.host;
    const deployed = await cli(["deploy", "said", "said.wasm", "--url", url], { cwd });
    assert.match(deployed.stdout, /^Deployed said v1 sha256:.*, unmetered: on threads of its own\n/);
    const { stdout } = await cli(["list", "--url", url], { cwd });
    assert.match(stdout, /^said +v1 \(unmetered\) /m);
    assert.match(stdout, /^neighbour +v1 +\d/m);
  });
});

test("what it imports, exports, and has of memory is held to the same rules", async () => {
  const rows: readonly (readonly [bytes: Uint8Array, code: string, words: RegExp])[] = [
    [structGuest("x", [raw.name("env"), raw.name("system"), 0, 1]), "unknown_import", /"env" "system"/],
    [structGuest("x", [raw.name("mayfly"), raw.name("log"), 0, 1]), "unknown_import", /with type \(i32\)/],
    [structGuest("x", [raw.name("mayfly:host"), raw.name("check"), 0, 1]), "unknown_import", /mayfly:host/],
    [assemble(`(module (memory (export "memory") i64 1))`), "unknown_abi", /mayfly_handle/],
    [
      assemble(`(module (memory (export "memory") i64 4000) (func (export "mayfly_handle") (param i32)))`),
      "memory_exceeded",
      /4000 pages, limit is 2048/,
    ],
    [guest64("", "(func $s unreachable) (start $s)"), "start_failed", /unreachable/],
    [raw.codeModule(0xff), "unknown_abi", /nothing/],
    [raw.module(raw.types([0x5f, 1, raw.i32, 9]), raw.section(3, [1, 7])), "invalid_module", /index 7/],
    [Buffer.from("(module)"), "invalid_module", /text format/],
  ];
  for (const [bytes, code, words] of rows) {
    const answer = await host.upload("rules", bytes);
    assertProblem(answer, 422, code);
    assert.match(detail(answer), words);
  }
  const unknownToV8 = raw.flatten([structGuest("x").slice(0, -1), 0]);
  unknownToV8[unknownToV8.indexOf(0xfb)] = 0xff;
  assertProblem(await host.upload("rules", unknownToV8), 422, "invalid_module");
});

test("a host without the setting neither runs it nor takes it back, and still shows it", async (context) => {
  const first = await TestHost.start({ allowUnmetered: true, minWorkers: 0 });
  let last = first;
  const { dataDir } = first;
  const restarted = async (allowUnmetered: boolean): Promise<TestHost> => {
    await last.close({ keepData: true });
    last = await TestHost.start({ dataDir, allowUnmetered, minWorkers: 0 });
    return last;
  };
  context.after(() => last.close());
  await first.deploy("kept", structGuest("k"));
  await first.deploy("older", structGuest("o"));
  await first.deploy("older", answering("newer"));
  const strict = await restarted(false);
  for (const path of ["/fn/kept", "/fn/older@1"]) {
    const refused = await strict.ask("POST", path);
    assertProblem(refused, 503, "function_quarantined");
    assert.match(detail(refused), /--allow-unmetered, or MAYFLY_ALLOW_UNMETERED=true$/);
  }
  assert.equal((await shown(strict, "kept"))["metered"], false);
  const back = await strict.send("POST", "/v1/functions/older/rollback", { version: 1 });
  assertProblem(back, 422, "unsupported_feature");
  assert.match(detail(back), /"older@1" is not metered; .*--allow-unmetered/);
  assertProblem(await strict.upload("kept", structGuest("k")), 422, "unsupported_feature");
  assert.equal((await strict.call("older")).text, "newer");
  const again = await restarted(true);
  assert.equal((await again.call("kept")).text, "structk");
  assert.equal((await again.send("POST", "/v1/functions/older/rollback", { version: 1 })).status, 200);
  assert.equal((await again.call("older")).text, "structo");
});
