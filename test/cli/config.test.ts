// Holds the host's configuration to docs/configuration.md.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, parseConfig, type SettingFlags, settingTable } from "../../host/config.ts";

type Env = Record<string, string>;

test("the defaults are those of the contract", () => {
  const { config, warnings } = parseConfig({}, { PATH: "/bin" }, "/srv");
  assert.deepEqual(config, {
    host: "127.0.0.1",
    port: 4747,
    dataDir: "/srv/.mayfly",
    minWorkers: 1,
    maxWorkers: availableParallelism(),
    token: null,
    secretKey: null,
    secretKeyOld: null,
    hostNames: [],
    origins: [],
    allowUnmetered: false,
    threadsOnly: false,
    rates: null,
    traceEndpoint: null,
    traceSample: 0.01,
    traceHeaders: {},
  });
  assert.deepEqual(warnings, []);
  assert.ok(Object.isFrozen(config));
  assert.ok(Object.isFrozen(config.hostNames));
  assert.ok(Object.isFrozen(config.origins));
});

const accepted: [what: string, flags: SettingFlags, env: Env, wanted: Record<string, unknown>][] = [
  ["a flag wins over its variable", { port: "1" }, { MAYFLY_PORT: "2" }, { port: 1 }],
  ["a bad variable under a flag is not looked at", { port: "1" }, { MAYFLY_PORT: "x" }, { port: 1 }],
  ["port 0 is a value", { port: "0" }, {}, { port: 0 }],
  ["port 65535 is the last", {}, { MAYFLY_PORT: "65535" }, { port: 65_535 }],
  ["min-workers 0 is a value", { minWorkers: "0" }, {}, { minWorkers: 0 }],
  [
    "min and max may be equal",
    {},
    { MAYFLY_MIN_WORKERS: "9", MAYFLY_MAX_WORKERS: "9" },
    { minWorkers: 9, maxWorkers: 9 },
  ],
  ["1,024 workers are the most", { maxWorkers: "1024" }, {}, { maxWorkers: 1_024 }],
  ["localhost may be listened on", { host: "localhost" }, {}, { host: "localhost" }],
  ["an IPv6 address loses its brackets", {}, { MAYFLY_HOST: "[::1]" }, { host: "::1" }],
  ["an absolute data folder stays", { data: "/var/lib/mayfly" }, {}, { dataDir: "/var/lib/mayfly" }],
  ["a relative data folder is taken from the working folder", { data: "../d" }, {}, { dataDir: "/d" }],
  ["a token is kept as it is", {}, { MAYFLY_TOKEN: "a.b~C/+=" }, { token: "a.b~C/+=" }],
  [
    "host names are split, lower-cased and without brackets",
    { hostNames: "Functions.Example.org, 10.0.0.1,[::2]," },
    {},
    { hostNames: ["functions.example.org", "10.0.0.1", "::2"] },
  ],
  [
    "origins are split",
    { origins: "https://a.example, http://localhost:8080" },
    {},
    { origins: ["https://a.example", "http://localhost:8080"] },
  ],
  ["no host names are none", {}, { MAYFLY_HOST_NAMES: "" }, { hostNames: [] }],
  ["calls are kept off the main thread by true", {}, { MAYFLY_THREADS_ONLY: "true" }, { threadsOnly: true }],
  [
    "a rate card is read from JSON, prices that are not named are 0",
    { rates: '{"currency":"EUR","perMillionCalls":"0.20"}' },
    {},
    {
      rates: {
        currency: "EUR",
        perMillionCalls: "0.20",
        perCpuSecond: "0",
        perWallSecond: "0",
        perGbSecond: "0",
        perGbIn: "0",
        perGbOut: "0",
        perMillionHostCalls: "0",
      },
    },
  ],
  [
    "a trace endpoint is a URL",
    { traceEndpoint: "http://c:4318/v1/traces" },
    {},
    { traceEndpoint: "http://c:4318/v1/traces" },
  ],
  ["every call may be traced", { traceSample: "1" }, {}, { traceSample: 1 }],
  ["no call may be traced", { traceSample: "0" }, {}, { traceSample: 0 }],
  ["a share may leave its zero out", { traceSample: ".5" }, {}, { traceSample: 0.5 }],
  [
    "headers of traces are a list",
    {},
    { MAYFLY_TRACE_HEADERS: "X-Key=a=b, other=c" },
    { traceHeaders: { "x-key": "a=b", other: "c" } },
  ],
  ["unmetered modules are allowed by true", {}, { MAYFLY_ALLOW_UNMETERED: "true" }, { allowUnmetered: true }],
  [
    "a flag without a value wins over its variable",
    { allowUnmetered: "true" },
    { MAYFLY_ALLOW_UNMETERED: "false" },
    { allowUnmetered: true },
  ],
];

for (const [what, flags, env, wanted] of accepted) {
  test(`accepted: ${what}`, () => {
    const { config } = parseConfig(flags, env, "/srv");
    assert.deepEqual({ ...config, ...wanted }, { ...config });
  });
}

const refused: [flags: SettingFlags, env: Env, fault: RegExp][] = [
  [{ port: "" }, {}, /^--port is "", want a whole number from 0 to 65535/],
  [{}, { MAYFLY_PORT: "" }, /^MAYFLY_PORT is "", want a whole number/],
  [{ port: "65536" }, {}, /^--port is "65536", want/],
  [{ port: "-1" }, {}, /^--port is "-1", want/],
  [{ port: "80.5" }, {}, /^--port is "80.5", want/],
  [{ port: "0x50" }, {}, /^--port is "0x50", want/],
  [{ port: "1e3" }, {}, /^--port is "1e3", want/],
  [{ host: "example.org" }, {}, /^--host is "example.org", want an IP address/],
  [{ host: "127.0.0.1:80" }, {}, /^--host is/],
  [{}, { MAYFLY_DATA: "" }, /^MAYFLY_DATA is "", want the path of a folder/],
  [{ data: "a\0b" }, {}, /^--data is "a\\u0000b", want the path/],
  [{ maxWorkers: "0" }, {}, /^--max-workers is "0", want a whole number from 1 to 1024/],
  [{ maxWorkers: "1025" }, {}, /^--max-workers is "1025", want/],
  [
    { minWorkers: "4", maxWorkers: "3" },
    {},
    /^--min-workers is "4", want no more than --max-workers, which is 3$/,
  ],
  [{ maxWorkers: "3" }, { MAYFLY_MIN_WORKERS: "4" }, /^MAYFLY_MIN_WORKERS is "4", want no more than/],
  [{ token: "" }, {}, /^--token is not usable, want 1 to 4096 visible ASCII/],
  [{ token: "secret secret" }, {}, /^--token is not usable, want/],
  [{ hostNames: "http://example.org" }, {}, /^--host-name is "http:\/\/example.org", want host names/],
  [{ origins: "example.org" }, {}, /^--origin is "example.org", want origins such as https:/],
  [{ origins: "https://example.org/" }, {}, /^--origin is/],
  [{ origins: "*" }, {}, /^--origin is/],
  [{}, { MAYFLY_ORIGINS: "null" }, /^MAYFLY_ORIGINS is/],
  [{ hostNames: "ok.example, example.org:80" }, {}, /^--host-name is/],
  [{}, { MAYFLY_ALLOW_UNMETERED: "yes" }, /^MAYFLY_ALLOW_UNMETERED is "yes", want true or false$/],
  [{}, { MAYFLY_ALLOW_UNMETERED: "" }, /^MAYFLY_ALLOW_UNMETERED is "", want true or false$/],
  [{ rates: "@absent.json" }, {}, /^--rates is "", want a rate card in JSON, or @FILE/],
  [{ rates: "[]" }, {}, /^--rates is "\[\]", want a rate card: /],
  [{ rates: '{"currency":"euro"}' }, {}, /want a rate card: currency: want three letters of ISO 4217/],
  [{ rates: '{"currency":"EUR","perGbOut":0.1}' }, {}, /want a rate card: perGbOut: .*expected string/],
  [{ rates: '{"currency":"EUR","perGbOut":"-1"}' }, {}, /perGbOut: want a decimal number in quotes/],
  [{ rates: '{"currency":"EUR","perGbOut":"1e3"}' }, {}, /perGbOut: want a decimal number in quotes/],
  [{ rates: '{"currency":"EUR","perCall":"1"}' }, {}, /want a rate card: .*perCall/],
  [
    { traceEndpoint: "collector:4318" },
    {},
    /^--trace-endpoint is "collector:4318", want an http or https URL/,
  ],
  [{ traceEndpoint: "http://u:p@c/v1/traces" }, {}, /^--trace-endpoint is .* without user name/],
  [{ traceSample: "1.01" }, {}, /^--trace-sample is "1.01", want a number from 0 to 1/],
  [{ traceSample: "1%" }, {}, /^--trace-sample is "1%", want a number from 0 to 1/],
  [{}, { MAYFLY_TRACE_SAMPLE: "" }, /^MAYFLY_TRACE_SAMPLE is "", want a number/],
  [{ traceHeaders: "authorization: Bearer x" }, {}, /^--trace-headers is not usable, want NAME=VALUE/],
];

for (const [flags, env, fault] of refused) {
  test(`refused with ${fault.source}`, () => {
    const error = configError(flags, env);
    assert.equal(error.faults.length, 1);
    assert.match(error.faults[0] ?? "", fault);
  });
}

test("all faults are reported together, min over max among them", () => {
  const error = configError(
    { port: "x", host: "nowhere", minWorkers: "5", maxWorkers: "2" },
    { MAYFLY_TOKEN: "hush hush", MAYFLY_DATA: "", MAYFLY_HOST_NAMES: "a b" },
  );
  assert.equal(error.faults.length, 6);
  for (const word of [
    "--port",
    "--host",
    "--min-workers",
    "MAYFLY_TOKEN",
    "MAYFLY_DATA",
    "MAYFLY_HOST_NAMES",
  ]) {
    assert.ok(
      error.faults.some((fault) => fault.startsWith(`${word} is`)),
      word,
    );
    assert.ok(error.message.includes(word), word);
  }
});

test("a wrong token is never shown", () => {
  assert.doesNotMatch(configError({ token: "hush hush" }, {}).message, /hush/);
});

test("a secret key is given as it is or by a file, and a wrong one is never shown", async () => {
  const key = "0123456789abcdef".repeat(4);
  const folder = await mkdtemp(join(tmpdir(), "mayfly-config-"));
  await writeFile(join(folder, "key"), `${key}\n`);
  await writeFile(join(folder, "wrong"), "hush hush");
  assert.equal(parseConfig({ secretKey: key }, {}).config.secretKey, key);
  const { config } = parseConfig({}, { MAYFLY_SECRET_KEY: "@key" }, folder);
  assert.equal(config.secretKey?.trim(), key);
  // As the host writes its own.
  await writeFile(join(folder, "bare"), Buffer.from(key, "hex"));
  const bare = parseConfig({ secretKeyOld: "@bare" }, {}, folder).config;
  assert.equal(bare.secretKeyOld, key.toLowerCase());
  for (const text of ["hush hush", `@${folder}/wrong`, `@${folder}/absent-hush`, "@"]) {
    const { message } = configError({ secretKey: text }, {});
    assert.match(message, /--secret-key is not usable, want 32 bytes/);
    assert.doesNotMatch(message, /hush/);
  }
  await rm(folder, { recursive: true });
});

test("an unknown MAYFLY_ variable is a warning, known ones and those of tests are not", () => {
  const env = {
    MAYFLY_PROT: "1",
    MAYFLY_URL: "x",
    MAYFLY_TOKEN: "t",
    MAYFLY_TEST_ANYTHING: "1",
    MAYFLYX: "1",
  };
  const { warnings } = parseConfig({}, env);
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /^Unknown variable MAYFLY_PROT is ignored, known are MAYFLY_HOST, MAYFLY_PORT/,
  );
});

test("an unknown MAYFLY_ variable is told of also beside what is wrong", () => {
  const { message } = configError({}, { MAYFLY_PORT: "x", MAYFLY_PROT: "1" });
  assert.match(message, /1 fault:\n {2}MAYFLY_PORT .*\n {2}Unknown variable MAYFLY_PROT/);
});

test("every setting of the contract has its flag and variable in the table", () => {
  const rows = Object.values(settingTable).map(({ flag, env }) => `${flag} ${env}`);
  assert.deepEqual(rows, [
    "--host MAYFLY_HOST",
    "--port MAYFLY_PORT",
    "--data MAYFLY_DATA",
    "--min-workers MAYFLY_MIN_WORKERS",
    "--max-workers MAYFLY_MAX_WORKERS",
    "--token MAYFLY_TOKEN",
    "--secret-key MAYFLY_SECRET_KEY",
    "--secret-key-old MAYFLY_SECRET_KEY_OLD",
    "--host-name MAYFLY_HOST_NAMES",
    "--origin MAYFLY_ORIGINS",
    "--allow-unmetered MAYFLY_ALLOW_UNMETERED",
    "--threads-only MAYFLY_THREADS_ONLY",
    "--rates MAYFLY_RATES",
    "--trace-endpoint MAYFLY_TRACE_ENDPOINT",
    "--trace-sample MAYFLY_TRACE_SAMPLE",
    "--trace-headers MAYFLY_TRACE_HEADERS",
  ]);
});

function configError(flags: SettingFlags, env: Env): ConfigError {
  try {
    parseConfig(flags, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  assert.fail("the configuration was accepted");
}
