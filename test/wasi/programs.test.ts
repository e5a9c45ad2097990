// Programs for WASI preview 1 over HTTP, as CGI has it: what they see, what they answer, how they end.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { preview1 } from "../../host/worker/abi/wasi/preview1.ts";
import { assemble, guest, literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import {
  echo,
  headerBlock,
  imports,
  listing,
  order,
  printer,
  printing,
  program,
} from "../support/programs.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const messages = async (name: string): Promise<string[]> =>
  (await host.logs(name)).map(({ level, message }) => `${level} ${message}`);

test("every function of preview 1 is offered", () => {
  assert.equal(Object.keys(preview1).length, 46);
});

test("a program's stdout is the answer, its header block first", async () => {
  await host.deploy("plain", printing(`Content-Type: text/plain\nX-Own: yes\n\nHello`));
  const answer = await host.ask("GET", "/fn/plain");
  assert.deepEqual(
    [answer.status, answer.text, answer.header("content-type"), answer.header("x-own")],
    [200, "Hello", "text/plain", "yes"],
  );
  const { abi } = (await host.ask("GET", "/v1/functions/plain")).json() as { abi: string };
  assert.equal(abi, "wasi");
});

test("the request is in the environment, beside the function's own variables", async () => {
  await host.configure("environment", { env: { GREETING: "Grüße", HTTP_X_OWN: "mine" } });
  await host.deploy("environment", listing("environ"));
  const answer = await host.ask("POST", "/fn/environment/a%20b/c?x=1&y=%20", {
    body: "four",
    headers: {
      "access-control-request-headers": "content-type",
      "content-type": "text/x",
      "x-test": "1",
      "x-own": "theirs",
      proxy: "http://evil",
      x_test: "2",
    },
  });
  const variables = new Set(answer.text.split("\0"));
  for (const wanted of [
    "GATEWAY_INTERFACE=CGI/1.1",
    "REQUEST_METHOD=POST",
    "SCRIPT_NAME=/fn/environment",
    "PATH_INFO=/a b/c",
    "QUERY_STRING=x=1&y=%20",
    "REQUEST_URI=/fn/environment/a%20b/c?x=1&y=%20",
    "CONTENT_LENGTH=4",
    "CONTENT_TYPE=text/x",
    "SERVER_NAME=127.0.0.1",
    `SERVER_PORT=${host.port}`,
    "SERVER_PROTOCOL=HTTP/1.1",
    "REMOTE_ADDR=127.0.0.1",
    "HTTP_X_TEST=1",
    "HTTP_X_OWN=mine",
    "GREETING=Grüße",
  ]) {
    assert.ok(variables.has(wanted), `${wanted} is not in ${[...variables].join("\n")}`);
  }
  for (const name of ["HTTP_PROXY", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"]) {
    assert.ok(!answer.text.includes(`${name}=`), name);
  }
});

test("a request of whatever size has its environment", async () => {
  for (const [path, body] of [
    ["x".repeat(3_000), ""],
    ["y", "z".repeat(200_000)],
    ["w".repeat(3_000), "z".repeat(200_000)],
  ] as const) {
    const answer = await host.call(`environment/${path}`, {
      body: Buffer.from(body),
      headers: { "x-high": "\u00e9" },
    });
    assert.ok(answer.text.includes(`PATH_INFO=/${path}\0`), answer.text.slice(0, 200));
    assert.ok(answer.bytes.includes(Buffer.from("HTTP_X_HIGH=\u00e9", "latin1")));
  }
});

test("by its own host name a function has no script name", async () => {
  await host.deploy("named", listing("environ"));
  const answer = await host.ask("GET", "/deep?q", { headers: { host: "named.localhost:80" } });
  const variables = answer.text.split("\0");
  assert.ok(variables.includes("SCRIPT_NAME="), answer.text);
  assert.ok(variables.includes("PATH_INFO=/deep"));
});

test("a secret is in the environment where the configuration asks for it, and else nowhere", async () => {
  await host.ask("PUT", "/v1/functions/secretive/secrets/KEY", { body: "hunter2" });
  await host.deploy("secretive", listing("environ"));
  assert.ok(!(await host.call("secretive")).text.includes("hunter2"));
  await host.configure("secretive", { envSecrets: ["KEY"] });
  assert.ok((await host.call("secretive")).text.split("\0").includes("KEY=hunter2"));
});

test("arguments are the name, then what the configuration says", async () => {
  await host.configure("arguments", { args: ["-v", "zwei drei"] });
  await host.deploy("arguments", listing("args"));
  assert.equal((await host.ask("GET", "/fn/arguments?a+b")).text, "arguments\0-v\0zwei drei\0");
});

test("stdin is the body, whole, and then at its end", async () => {
  await host.deploy("echo", echo());
  for (const body of ["", "short", "long ".repeat(200_000)]) {
    assert.equal((await host.call("echo", { body })).text, body);
  }
});

const statuses: readonly (readonly [string, number, string | undefined])[] = [
  ["Status: 404 Not Found\nContent-Type: text/plain\n\nno", 404, undefined],
  ["status:201\r\ncontent-type:text/plain\r\n\r\nno", 201, undefined],
  ["Location: https://example.org/\n\n", 302, "https://example.org/"],
  ["Location: /elsewhere\n\n", 302, "/elsewhere"],
  ["Status: 307\nLocation: /elsewhere\n\n", 307, "/elsewhere"],
];

test("status and location of a header block are the answer's", async () => {
  await host.deploy("printer", printer());
  for (const [text, status, location] of statuses) {
    const answer = await host.call("printer", { body: order(text, null) });
    assert.deepEqual([answer.status, answer.header("location")], [status, location], text);
  }
});

const refused: readonly (readonly [string, number | null, string])[] = [
  ["", null, "no_cgi_headers"],
  ["", 0, "no_cgi_headers"],
  ["Content-Type: text/plain\n", null, "no_cgi_headers"],
  ["Hello, world!\n", null, "no_cgi_headers"],
  ["Hello, world!\n\n", null, "bad_cgi_headers"],
  ["X-Other: 1\n\nbody", null, "bad_cgi_headers"],
  ["Content-Type: a\nContent-Type: b\n\n", null, "bad_cgi_headers"],
  ["Status: 99\n\n", null, "bad_cgi_headers"],
  ["Status: 101\n\n", null, "bad_cgi_headers"],
  ["Status: 2000\n\n", null, "bad_cgi_headers"],
  ["Bad Name: 1\nStatus: 200\n\n", null, "bad_cgi_headers"],
  [": 1\nStatus: 200\n\n", null, "bad_cgi_headers"],
  ["X: a\u0001b\nStatus: 200\n\n", null, "bad_cgi_headers"],
  ["X: a\n folded\nStatus: 200\n\n", null, "bad_cgi_headers"],
  ["", 1, "program_failed"],
  ["Content-Type: text/plain\n", 254, "program_failed"],
  ["Traceback:\n\n", 1, "program_failed"],
];

for (const [text, exitCode, code] of refused) {
  test(`${JSON.stringify(text)} and exit code ${exitCode} is ${code}`, async () => {
    const bad = () => host.call("printer", { body: order(text, exitCode) });
    assertProblem(await bad(), 502, code);
    assertProblem(await bad(), 502, code);
    const good = await host.call("printer", { body: order(`${headerBlock}again`, exitCode) });
    assert.equal(good.text, "again");
  });
}

test("a header block that does not end is refused at its bound", async () => {
  const endless = program(
    `(local $left i32) (local.set $left (i32.const 70000))
     (loop $more (call $print) (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 6)))))`,
    { text: "X: 1\nY" },
  );
  await host.deploy("endless-head", endless);
  const { status, text } = await host.ask("GET", "/fn/endless-head");
  assert.equal(status, 502, text);
});

test("an exit code after the header block leaves the answer, and a line in the log", async () => {
  await host.deploy("late", printing(`${headerBlock}done`, 3));
  const answer = await host.ask("GET", "/fn/late");
  assert.deepEqual([answer.status, answer.text], [200, "done"]);
  assert.deepEqual(await messages("late"), ["warn exit code 3 after the answer had begun"]);
});

test("a program that traps is guest_trapped, whatever it wrote before", async () => {
  await host.deploy("trapping", program(`(call $print) (unreachable)`));
  assertProblem(await host.ask("GET", "/fn/trapping"), 502, "guest_trapped");
});

test("nothing of a program runs after its exit, whatever it would catch", async () => {
  const stubborn = assemble(`(module
    ${imports("fd_write", "proc_exit")}
    (memory (export "memory") 1)
    (data (i32.const 1024) "${literal(`${headerBlock}before`)}${literal("after")}")
    (func $print (param $at i32) (param $bytes i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $bytes))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
      (call $print (i32.const 1024) (i32.const ${headerBlock.length + 6}))
      (try (do (call $proc_exit (i32.const 0))) (catch_all))
      (call $print (i32.const ${1024 + headerBlock.length + 6}) (i32.const 5))))`);
  for (const isolation of ["fresh", "dedicated"]) {
    await host.configure("stubborn", { isolation });
    await host.deploy("stubborn", stubborn);
    for (let count = 0; count < 4; count += 1) {
      assert.equal((await host.ask("GET", "/fn/stubborn")).text, "before");
    }
  }
});

test("stderr goes to the log, line by line, and what is left at the end", async () => {
  const text = "one\r\ntwo\n\u001b[31mthree";
  const bytes = Buffer.byteLength(text);
  const noisy = program(
    `(call $say (i32.const 2) (i32.const 1024) (i32.const 2))
     (call $say (i32.const 2) (i32.const 1026) (i32.const ${bytes - 2}))
     (call $say (i32.const 1) (i32.const 4096) (i32.const ${headerBlock.length}))`,
    { text, fields: `(data (i32.const 4096) "${literal(headerBlock)}")` },
  );
  await host.deploy("noisy", noisy);
  assert.equal((await host.ask("GET", "/fn/noisy")).status, 200);
  const found = await messages("noisy");
  assert.deepEqual(found.slice(0, 2), ["info one", "info two"]);
  assert.equal(found.length, 3);
  assert.ok(found[2]?.endsWith("three") === true && !found[2].includes("\u001b"), String(found[2]));
});

test("a program that writes byte by byte may write more often than others may call the host", async () => {
  const count = limits.hostCallsPerCallMax + 1;
  const patient = program(
    `(local $left i32) (call $print) (local.set $left (i32.const ${count}))
     (loop $more (call $say (i32.const 1) (i32.const 1024) (i32.const 1))
       (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`,
  );
  await host.configure("patient", { cpuMs: 60_000 });
  await host.deploy("patient", patient);
  assert.equal((await host.ask("GET", "/fn/patient")).text.length, count);
});

test("a program that writes for ever is ended: without a header block at its bound, to stderr by its CPU time", async () => {
  const endless = (fd: number): Uint8Array =>
    program(`(loop $more (call $say (i32.const ${fd}) (i32.const 0) (i32.const 65536)) (br $more))`);
  await host.configure("endless", { cpuMs: 300 });
  await host.deploy("endless", endless(1));
  assertProblem(await host.ask("GET", "/fn/endless"), 502, "bad_cgi_headers");
  await host.deploy("endless", endless(2));
  assertProblem(await host.ask("GET", "/fn/endless"), 504, "cpu_exceeded");
  assert.ok((await messages("endless")).length <= limits.logLinesPerCallMax + 4);
  assert.equal((await host.ask("GET", "/fn/plain")).status, 200);
});

test("a program that sleeps leaves its thread, and one that sleeps for ever ends at its deadline", async () => {
  // One subscription: a clock, after as many nanoseconds as its stdin says.
  const sleeper = program(
    `(i32.store (i32.const 0) (i32.const ${512 + 24})) (i32.store (i32.const 4) (i32.const 8))
     (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
     (i32.store (i32.const ${512 + 16}) (i32.const 1))
     (if (call $poll_oneoff (i32.const 512) (i32.const 2048) (i32.const 1) (i32.const 16)) (then unreachable))
     (if (i32.ne (i32.load (i32.const 16)) (i32.const 1)) (then unreachable))
     (call $print)`,
    { uses: ["fd_read", "poll_oneoff"] },
  );
  const ns = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  await host.configure("sleeper", { timeoutMs: 1_500, concurrency: 1_000 });
  await host.deploy("sleeper", sleeper);
  assert.equal((await host.call("sleeper", { body: ns(0n) })).status, 200);
  const forEver = host.call("sleeper", { body: ns(2n ** 64n - 1n) });
  const many = await Promise.all(
    Array.from({ length: 100 }, () => host.call("sleeper", { body: ns(200_000_000n) })),
  );
  for (const answer of many) {
    assert.equal(answer.status, 200, answer.text);
    assert.match(String(answer.header("server-timing")), /wait;dur=/);
  }
  assertProblem(await forEver, 504, "deadline_exceeded");
});

test("a guest of the other ABI has the system's calls too, also while it is initialised", async () => {
  const message = responseMessage({ body: "ok" });
  const reactor = guest(
    `(call $say (i32.const 2048) (i32.const 5))
     (call $write (i32.const 1024) (i32.const ${message.length}))`,
    `(data (i32.const 1024) "${literal(message)}") (data (i32.const 2048) "line\\n")
     (func (export "_initialize")
       (drop (call $random_get (i32.const 4096) (i32.const 8)))
       (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 4096)))
       (drop (call $fd_prestat_get (i32.const 3) (i32.const 4096))))
     (func $say (param $at i32) (param $bytes i32)
       (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $bytes))
       (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))
     ${imports("fd_write", "random_get", "clock_time_get", "fd_prestat_get")}`,
  );
  await host.deploy("reactor", reactor);
  const answer = await host.ask("GET", "/fn/reactor");
  assert.deepEqual([answer.status, answer.text], [200, "ok"], answer.text);
  assert.deepEqual(await messages("reactor"), ["info line"]);
});

test("a guest of the other ABI that ends itself without an answer is program_failed", async () => {
  const ending = guest(`(call $proc_exit (i32.const 4))`, "", imports("proc_exit"));
  await host.deploy("ending", ending);
  assertProblem(await host.ask("GET", "/fn/ending"), 502, "program_failed");
});

const unfit: readonly (readonly [string, string, string])[] = [
  ["a _start with a result", `(func (export "_start") (result i32) (i32.const 0))`, "unknown_abi"],
  ["no memory", `(func (export "_start"))`, "unknown_abi"],
  [
    "the other ABI's request",
    `(import "mayfly" "request_read" (func (param i32))) (memory (export "memory") 1) (func (export "_start"))`,
    "unknown_abi",
  ],
  [
    "the other ABI's streams",
    `(import "mayfly" "response_begin" (func (param i32 i32)))
     (memory (export "memory") 1) (func (export "_start"))`,
    "unknown_abi",
  ],
  [
    "a function of another type",
    `(import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
     (memory (export "memory") 1) (func (export "_start"))`,
    "unknown_import",
  ],
  [
    "a function there is not",
    `(import "wasi_snapshot_preview1" "constructor" (func))
     (memory (export "memory") 1) (func (export "_start"))`,
    "unknown_import",
  ],
];

for (const [what, fields, code] of unfit) {
  test(`a program with ${what} is refused as ${code}`, async () => {
    assertProblem(await host.upload("unfit", assemble(`(module ${fields})`)), 422, code);
  });
}

test("short programs run on the main thread, and those that wait there find the same on another", async () => {
  const inlineCalls = async (): Promise<number> => {
    const { text } = await host.ask("GET", "/metrics");
    return Number(/^mayfly_inline_calls_total (\d+)$/m.exec(text)?.[1]);
  };
  await host.deploy("short", printing(`${headerBlock}short`, 0));
  const before = await inlineCalls();
  // A busy machine may find a call late, and the next ones on threads for a while.
  for (let count = 0; count < 500 && (await inlineCalls()) === before; count += 1) {
    assert.equal((await host.ask("GET", "/fn/short")).text, "short");
  }
  assert.ok((await inlineCalls()) > before);
});
