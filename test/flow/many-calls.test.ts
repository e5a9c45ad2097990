// The promise: 1,000 calls in a row and 10,000 at 64 at once are all answered right, and the host's
// memory stays where it was after the first 1,000.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { SupervisedHost } from "./supervised-host.ts";

const growthMbMax = 50;

test("11,000 calls of hello are answered right and leave no memory behind", async (context) => {
  await using host = await SupervisedHost.start();
  const file = join(import.meta.dirname, "../../guest/examples/hello/index.ts");
  const wasm = await compiled(file);
  assert.equal((await host.deploy("hello", wasm)).status, 201);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  for (let call = 0; call < 1_000; call += 1) await expectGreeting(agent, host.url, call);
  const beforeMb = rssMb(host.hostPid);
  let next = 1_000;
  const worker = async (): Promise<void> => {
    while (next < 11_000) {
      next += 1;
      await expectGreeting(agent, host.url, next);
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  const afterMb = rssMb(host.hostPid);
  context.diagnostic(`RSS ${beforeMb} MB after 1,000 calls, ${afterMb} MB after 11,000`);
  assert.ok(afterMb - beforeMb <= growthMbMax, `RSS grew from ${beforeMb} MB to ${afterMb} MB`);
  agent.destroy();
});

function expectGreeting(agent: Agent, url: string, call: number): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${url}/fn/hello?name=caller-${call}`, { agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => {
        if (answer.statusCode === 200 && text === `Hello, caller-${call}!`) resolve();
        else reject(new Error(`call ${call}: ${answer.statusCode} ${text}`));
      });
    }).on("error", reject);
  });
}

function rssMb(pid: number): number {
  return Math.round(
    Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024,
  );
}
