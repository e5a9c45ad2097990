// The promise: a version that is alone when the host process dies, three times, is set aside by name;
// one that merely waited is not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, endless, sleeping } from "./guests.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

test("the only suspect of three crashes is quarantined, a function that waited is not", async () => {
  await using host = await SupervisedHost.start({ arguments: ["--max-workers", "1"] });
  assert.equal((await host.deploy("killer", endless())).status, 201);
  assert.equal((await host.deploy("waits", sleeping())).status, 201);
  await putConfig(host, "waits", { timeoutMs: 900_000 });
  await putConfig(host, "killer", { cpuMs: 900_000, timeoutMs: 900_000 });
  for (let crash = 1; crash <= 3; crash += 1) {
    const killerRuns = await nextLine(host, "killer");
    const killing = fetch(`${host.url}/fn/killer`).then(
      (answer) => answer.status,
      () => "cut off",
    );
    await killerRuns();
    const waitsBegins = await nextLine(host, "waits");
    // It shares the one thread with the loop, and waits in a host call.
    const waiting = fetch(`${host.url}/fn/waits`).catch(() => null);
    await waitsBegins();
    await host.killHost();
    assert.equal(await killing, "cut off");
    await waiting;
    assert.equal((await fetch(`${host.url}/readyz`, { signal: AbortSignal.timeout(10_000) })).status, 200);
    await until(
      () => host.output.split("had died while killer@1 ran").length > crash,
      5_000,
      () => host.output,
    );
  }
  const refused = await fetch(`${host.url}/fn/killer`);
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { code: string }).code, "function_quarantined");
  await putConfig(host, "waits", { timeoutMs: 100 });
  assert.equal((await fetch(`${host.url}/fn/waits`)).status, 504, "it runs, and is not quarantined");

  const lifted = await fetch(`${host.url}/v1/functions/killer/unquarantine`, { method: "POST" });
  assert.equal(((await lifted.json()) as { quarantined: boolean }).quarantined, false);
  await putConfig(host, "killer", { cpuMs: 50 });
  assert.equal((await fetch(`${host.url}/fn/killer`)).status, 504);

  assert.equal((await host.deploy("killer", answering("mended"))).status, 201);
  assert.equal(await (await fetch(`${host.url}/fn/killer`)).text(), "mended");
});

async function putConfig(host: SupervisedHost, name: string, config: Record<string, number>): Promise<void> {
  const answer = await fetch(`${host.url}/v1/functions/${name}/config`, {
    method: "PUT",
    body: JSON.stringify(config),
  });
  assert.equal(answer.status, 200);
}

/** Waits for one more line in a function's log than there is now. */
async function nextLine(host: SupervisedHost, name: string): Promise<() => Promise<void>> {
  const count = async (): Promise<number> => {
    const answer = await fetch(`${host.url}/v1/functions/${name}/logs?lines=1000`);
    return ((await answer.json()) as { lines: unknown[] }).lines.length;
  };
  const before = await count();
  return () => until(async () => (await count()) > before, 10_000);
}
