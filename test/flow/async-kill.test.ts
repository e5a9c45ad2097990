// The promise: an asynchronous call that was acknowledged is made, and what came of it kept, whatever
// `kill -9` of the host process meets. A seeded sample; `npm run soak` does it 50 times.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { ask } from "../support/http-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 50 : 2;
const senders = 6;

test(`asynchronous calls that were acknowledged are made across kills (${rounds} times)`, async (context) => {
  const random = seededRandom(context);
  await using host = await SupervisedHost.start();
  const port = Number(new URL(host.url).port);
  const module = await compiled(join(import.meta.dirname, "../guest/functions/later.as.ts"));
  const deployed = await ask(port, "PUT", "/v1/functions/later", { body: module });
  assert.equal(deployed.status, 201, deployed.text);
  // An attempt that a kill meets counts.
  const config = JSON.stringify({ asyncAttemptsMax: 100 });
  await ask(port, "PUT", "/v1/functions/later/config", { body: config });
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let sending = true;
    const send = async (): Promise<void> => {
      while (sending) {
        const answer = await ask(port, "POST", "/fn/later/x", {
          body: "sent",
          headers: { prefer: "respond-async" },
        });
        assert.equal(answer.status, 202, answer.text);
        acknowledged.push((answer.json() as { id: string }).id);
      }
    };
    const ended = Promise.allSettled(Array.from({ length: senders }, send));
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 250));
    await host.killHost();
    sending = false;
    for (const outcome of await ended) {
      if (outcome.status === "rejected") assert.ok(!(outcome.reason instanceof assert.AssertionError));
    }
    await host.release("later");
  }
  assert.ok(acknowledged.length > 0, "nothing was acknowledged");
  let again = 0;
  for (const id of acknowledged) {
    let attempts = 0;
    await until(async () => {
      const found = (await ask(port, "GET", `/v1/invocations/${id}`)).json() as {
        state: string;
        attempts: number;
        answer: { status: number } | null;
      };
      attempts = found.attempts;
      return found.state === "succeeded" && found.answer?.status === 201;
    }, 60_000);
    if (attempts > 1) again += 1;
  }
  context.diagnostic(`${acknowledged.length} calls were acknowledged and made, ${again} of them anew`);
});
