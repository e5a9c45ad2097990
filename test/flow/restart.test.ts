// The promise: the host process may die or hang at any moment, and costs only the calls in flight.

import assert from "node:assert/strict";
import { cp, mkdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering, busy, endless } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

test("a host process that is killed is replaced, and the functions are there", async () => {
  await using host = await SupervisedHost.start();
  assert.equal((await host.deploy("kept", answering("kept"))).status, 201);
  assert.equal(await (await fetch(`${host.url}/fn/kept`)).text(), "kept");
  const before = host.hostPid;
  await host.killHost();
  const answer = await fetch(`${host.url}/fn/kept`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(await answer.text(), "kept");
  assert.notEqual(host.hostPid, before);
  await until(
    () => /host process is back after \d+ ms/.test(host.output),
    5_000,
    () => host.output,
  );
});

test("a connection made while no host process lives waits and is answered", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("kept", answering("kept"));
  process.kill(host.hostPid, "SIGKILL");
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  socket.write("GET /fn/kept HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  let text = "";
  for await (const chunk of socket.setTimeout(15_000, () => socket.destroy())) text += chunk;
  assert.match(text, /^HTTP\/1\.1 200 OK[\s\S]*kept$/);
});

test("a host process that hangs is killed and replaced", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("kept", answering("kept"));
  process.kill(host.hostPid, "SIGSTOP");
  const answer = await fetch(`${host.url}/fn/kept`, { signal: AbortSignal.timeout(20_000) });
  assert.equal(await answer.text(), "kept");
  assert.match(host.output, /silent for \d+ ms: it is killed/);
});

test("a host process that was paused together with its supervisor is not taken for one that hangs", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("kept", answering("kept"));
  const { supervisorPid, hostPid } = host;
  for (const pid of [supervisorPid, hostPid]) process.kill(pid, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, limits.heartbeatTimeoutMs + 1_000));
  for (const pid of [supervisorPid, hostPid]) process.kill(pid, "SIGCONT");
  // A beat later the supervisor has either killed it or heard of it.
  await new Promise((resolve) => setTimeout(resolve, 2 * limits.heartbeatMs));
  const answer = await fetch(`${host.url}/fn/kept`, { signal: AbortSignal.timeout(20_000) });
  assert.equal(await answer.text(), "kept");
  assert.equal(host.hostPid, hostPid);
  assert.doesNotMatch(host.output, /silent/);
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  test(`${signal} lets running work end, takes no new work, says so, and exits with 0`, async () => {
    await using host = await SupervisedHost.start();
    await deployBusy(host);
    const running = fetch(`${host.url}/fn/busy`).then(async (answer) => [answer.status, await answer.text()]);
    await untilRunning(host);
    process.kill(host.supervisorPid, signal);
    await until(
      () => host.output.includes(`${signal}: no new work`),
      5_000,
      () => host.output,
    );
    // On a connection made after the signal; the host may have ended before it comes to it.
    const ready = fetch(`${host.url}/readyz`).then(
      (answer) => answer.status,
      () => null,
    );
    assert.deepEqual(await running, [200, "done"]);
    assert.ok([503, null].includes(await ready));
    assert.equal(await host.exit(), 0);
  });
}

test("a signal to the whole process group drains as one to the supervisor does", async () => {
  await using host = await SupervisedHost.start();
  await deployBusy(host);
  const running = fetch(`${host.url}/fn/busy`).then(async (answer) => [answer.status, await answer.text()]);
  await untilRunning(host);
  process.kill(-(host.process.pid ?? 0), "SIGINT");
  assert.deepEqual(await running, [200, "done"]);
  assert.equal(await host.exit(), 0);
});

test("a second SIGTERM ends the host at once", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("endless", endless());
  await fetch(`${host.url}/v1/functions/endless/config`, {
    method: "PUT",
    body: JSON.stringify({ cpuMs: 900_000, timeoutMs: 900_000 }),
  });
  const running = fetch(`${host.url}/fn/endless`).catch(() => null);
  await untilRunning(host);
  const { supervisorPid } = host;
  process.kill(supervisorPid, "SIGTERM");
  await until(
    () => /SIGTERM: no new work/.test(host.output),
    5_000,
    () => host.output,
  );
  // Within a second it would count as the echo of the first.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  process.kill(supervisorPid, "SIGTERM");
  assert.equal(await host.exit(), 1);
  await running;
  await using next = await SupervisedHost.start({ dataDir: host.dataDir });
  assert.doesNotMatch(next.output, /had died while/);
  assert.match(next.output, /listening/);
});

test("a signal that comes while the host starts ends it, with 0", async () => {
  await using folder = await SupervisedHost.start();
  const { dataDir } = folder;
  process.kill(folder.supervisorPid, "SIGTERM");
  assert.equal(await folder.exit(), 0);
  for (let attempt = 1; ; attempt += 1) {
    const host = SupervisedHost.spawn({ dataDir });
    await using _ended = host;
    await until(() => host.isStarting(), 20_000);
    const wasInTime = !/listening on/.test(host.output);
    process.kill(host.supervisorPid, "SIGTERM");
    // Far less than the time after which a host that does not drain is killed.
    await until(
      () => host.process.exitCode !== null,
      15_000,
      () => host.output,
    );
    assert.equal(host.process.exitCode, 0, host.output);
    if (wasInTime && !/listening on/.test(host.output)) return;
    // On a busy machine it may have started before the signal came.
    assert.ok(attempt < 5, `it listened in spite of the signal, ${attempt} times:\n${host.output}`);
  }
});

test("a host that cannot start again is tried until it can, and a signal in a pause ends it", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("kept", answering("kept"));
  const database = join(host.dataDir, "mayfly.db");
  const aside = join(host.dataDir, "aside.db");
  for (const suffix of ["", "-wal", "-shm"]) await copyIfThere(database + suffix, aside + suffix);
  const breakFolder = async (): Promise<void> => {
    for (const suffix of ["", "-wal", "-shm"]) await rm(database + suffix, { force: true });
    await mkdir(database);
    await host.killHost();
    await until(
      () => /started again in \d{3,} ms/.test(host.output),
      20_000,
      () => host.output,
    );
  };
  await breakFolder();
  await rm(database, { recursive: true });
  for (const suffix of ["", "-wal", "-shm"]) await copyIfThere(aside + suffix, database + suffix);
  const answer = await fetch(`${host.url}/fn/kept`, { signal: AbortSignal.timeout(20_000) });
  assert.equal(await answer.text(), "kept");

  host.output = "";
  await breakFolder();
  process.kill(host.supervisorPid, "SIGTERM");
  await until(
    () => host.process.exitCode !== null,
    15_000,
    () => host.output,
  );
});

test("the host process ends when its supervisor is gone, and the data folder is free", async () => {
  await using host = await SupervisedHost.start();
  await host.deploy("kept", answering("kept"));
  await deployBusy(host);
  const running = fetch(`${host.url}/fn/busy`).catch(() => null);
  await untilRunning(host);
  const { hostPid, supervisorPid } = host;
  process.kill(supervisorPid, "SIGKILL");
  await until(() => !isAlive(hostPid), 10_000);
  await running;
  await using next = await SupervisedHost.start({ dataDir: host.dataDir });
  // What ran then did not end the host.
  assert.doesNotMatch(next.output, /had died while/);
  assert.equal(await (await fetch(`${next.url}/fn/kept`)).text(), "kept");
});

async function copyIfThere(from: string, to: string): Promise<void> {
  await cp(from, to, { force: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

async function deployBusy(host: SupervisedHost): Promise<void> {
  assert.equal((await host.deploy("busy", busy(300_000_000))).status, 201);
  const config = { method: "PUT", body: JSON.stringify({ cpuMs: 60_000, timeoutMs: 60_000 }) };
  assert.equal((await fetch(`${host.url}/v1/functions/busy/config`, config)).status, 200);
}

async function untilRunning(host: SupervisedHost): Promise<void> {
  await until(async () => {
    const text = await (await fetch(`${host.url}/metrics`)).text();
    return /^mayfly_live_calls [1-9]/m.test(text);
  }, 10_000);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
