// D12: a secret that a function is given is in none of the host's outputs, and in no file of its folder but sealed.

import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cli } from "../cli/run-cli.ts";
import { SupervisedHost } from "../flow/supervised-host.ts";
import { compiled } from "../support/compiled.ts";
import { ask } from "../support/http-client.ts";

const canary = `canary-${randomBytes(16).toString("hex")}`;
const forms = [
  canary,
  Buffer.from(canary).toString("base64").slice(0, -4),
  Buffer.from(canary).toString("hex"),
];

const guest = () => compiled(join(import.meta.dirname, "../guest/functions/secrets.as.ts"));

function assertNone(what: string, text: string | Buffer): void {
  for (const form of forms) assert.ok(!text.includes(form), `${what} holds the secret`);
}

async function assertNoneInFiles(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    assertNone(file, await readFile(file));
  }
}

async function stop(host: SupervisedHost): Promise<void> {
  process.kill(host.supervisorPid, "SIGTERM");
  assert.equal(await host.exit(), 0);
}

test("D12: no answer, no log and no file of a host holds a secret", async () => {
  await using host = await SupervisedHost.start();
  const port = Number(new URL(host.url).port);
  const seen: string[] = [];
  const send = async (...[method, path, rest]: [string, string, Parameters<typeof ask>[3]?]) => {
    const answer = await ask(port, method, path, rest);
    seen.push(answer.rawHeaders.join("\n"), answer.text);
    return answer;
  };
  const set = await cli(["secret", "set", "knows", "KEY", "--url", host.url], { stdin: `${canary}\n` });
  assert.deepEqual([set.exitCode, set.stderr], [0, ""]);
  seen.push(set.stdout);
  assert.equal((await send("PUT", "/v1/functions/knows", { body: await guest() })).status, 201);
  await send("PUT", "/v1/functions/knows/config", { body: JSON.stringify({ envSecrets: ["KEY"] }) });
  // It has it: as a secret and as a variable.
  const named = { headers: { "x-name": "KEY" } };
  assert.equal((await ask(port, "GET", "/fn/knows", named)).text, canary);
  assert.equal((await ask(port, "GET", "/fn/knows/env", named)).text, canary);
  assert.equal((await send("GET", "/fn/knows/throw", named)).status, 502);
  await send("PUT", "/v1/functions/knows/secrets/KEY-", { body: canary });
  await send("PUT", "/v1/functions/knows/secrets/BYTES", { body: Buffer.from(`${canary}\xff`, "latin1") });
  await send("PUT", "/v1/functions/knows/secrets/LARGE", { body: canary.repeat(1_000) });
  for (const path of [
    "/v1/functions",
    "/v1/functions/knows",
    "/v1/functions/knows/config",
    "/v1/functions/knows/versions",
    "/v1/functions/knows/secrets",
    "/v1/functions/knows/secrets/KEY",
    "/v1/functions/knows/logs?lines=1000",
    "/v1/limits",
    "/metrics",
    "/openapi.json",
  ]) {
    await send("GET", path);
  }
  for (const command of [["list"], ["config", "knows"], ["secret", "list", "knows"], ["logs", "knows"]]) {
    const { stdout, stderr } = await cli([...command, "--json", "--url", host.url]);
    seen.push(stdout, stderr);
  }
  await stop(host);
  assertNone("an answer", seen.join("\n"));
  assertNone("the host's output", host.output);
  await assertNoneInFiles(host.dataDir);
});

test("all that is sealed is sealed anew under a new key, once, and the old key opens nothing any more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-flow-"));
  const keys = [randomBytes(32), randomBytes(32)].map((key) => key.toString("hex")) as [string, string];
  const read = async (url: string) =>
    (await ask(Number(new URL(url).port), "GET", "/fn/knows", { headers: { "x-name": "KEY" } })).text;
  const started = (env: Record<string, string>) => SupervisedHost.start({ dataDir: folder, env });
  {
    // Under the key that the host makes for itself.
    await using host = await started({});
    const port = Number(new URL(host.url).port);
    await ask(port, "PUT", "/v1/functions/knows", { body: await guest() });
    await ask(port, "PUT", "/v1/functions/knows/secrets/KEY", { body: canary });
    await stop(host);
  }
  const ownKey = `@${join(folder, "secrets.key")}`;
  for (const [env, output] of [
    [{ MAYFLY_SECRET_KEY: keys[0], MAYFLY_SECRET_KEY_OLD: ownKey }, /"secrets":1.*the old one may go/],
    [{ MAYFLY_SECRET_KEY: keys[0] }, /listening/],
    [{ MAYFLY_SECRET_KEY: keys[1], MAYFLY_SECRET_KEY_OLD: keys[0] }, /"secrets":1.*the old one may go/],
    [{ MAYFLY_SECRET_KEY: keys[1], MAYFLY_SECRET_KEY_OLD: keys[0] }, /listening/],
  ] as const) {
    await using host = await started(env);
    assert.match(host.output, output);
    assert.equal(await read(host.url), canary);
    await stop(host);
    for (const key of keys) assert.ok(!host.output.includes(key), "the output holds a key");
  }
  const database = await readFile(join(folder, "mayfly.db"));
  // Both wrong: nothing is overwritten.
  for (const env of [
    { MAYFLY_SECRET_KEY: keys[0] },
    { MAYFLY_SECRET_KEY: keys[0], MAYFLY_SECRET_KEY_OLD: "0".repeat(64) },
    {},
  ] as Record<string, string>[]) {
    await using host = await started(env);
    assert.equal(await host.exit(), 1);
    assert.match(host.output, /the secrets in it cannot be opened/);
    assert.deepEqual(await readFile(join(folder, "mayfly.db")), database);
  }
  await writeFile(join(folder, "short.key"), "short");
  for (const text of [`@${join(folder, "absent.key")}`, `@${join(folder, "short.key")}`, "hunter2"]) {
    await using host = await started({ MAYFLY_SECRET_KEY: keys[1], MAYFLY_SECRET_KEY_OLD: text });
    assert.equal(await host.exit(), 2);
    assert.match(host.output, /MAYFLY_SECRET_KEY_OLD is not usable, want 32 bytes/);
    assert.doesNotMatch(host.output, /hunter2/);
  }
  await rm(folder, { recursive: true });
});
