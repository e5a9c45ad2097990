// An event queue on a real store with a dispatcher under a clock and a chance of the test's own.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { HostEvent } from "../../host/event.ts";
import { AttemptFailure, Dispatcher, type DispatcherParts } from "../../host/events/dispatcher.ts";
import { EventQueue } from "../../host/events/queue.ts";
import { functionConfigDefault } from "../../host/function.ts";
import type { DueDelivery } from "../../host/store/event-store.ts";
import { openStores } from "../../host/store/sqlite/stores.ts";
import { parseTrigger } from "../../host/trigger.ts";

export const failure = (counts = true) =>
  new AttemptFailure({ code: "refused", message: "no", lines: ["info tried"] }, { counts });
export const event = (id: string, attributes: Record<string, string> = {}): HostEvent => ({
  attributes: { id, source: "/s", type: "t", ...attributes },
  data: Buffer.from(id),
  depth: 1,
});

/** A queue with the function "f", whose trigger "t" listens to the topic "t". */
export async function queueOf(
  context: TestContext,
  settings: object,
  attempt: (delivery: DueDelivery, attempt: number) => Promise<void> | void,
  parts: Pick<DispatcherParts, "noRoomMs" | "callbackOf"> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-events-"));
  const open = () => openStores(join(folder, "mayfly.db"), assert.ifError);
  const stores = await open();
  const freshCosts = { newUs: 20, resetUs: null };
  await stores.functions.deploy({
    name: "f",
    digest: "one",
    abi: "assemblyscript",
    metered: true,
    files: null,
    bytes: 1,
    createdAtMs: 0,
    freshCosts,
  });
  await stores.functions.putConfig("f", functionConfigDefault);
  const key = { function: "f", trigger: "t" };
  await stores.events.putTrigger(key, parseTrigger({ kind: "topic", topic: "t", ...settings }));
  // Ahead of the writer's, so that what is published is due.
  const clock = { ms: Date.now() + 60_000, random: 1 };
  const faults: unknown[] = [];
  const dispatcherOf = (store: typeof stores) => {
    const queue = new EventQueue(store.events);
    const dispatcher = new Dispatcher({
      store: store.events,
      queue,
      settingsOf: (each) => store.events.trigger(each)?.settings ?? null,
      attempt: async (delivery, _settings, count) => {
        await attempt(delivery, count);
        return {};
      },
      exists: (name) => store.functions.live(name) !== null,
      onFault: (error) => faults.push(error),
      now: () => clock.ms,
      random: () => clock.random,
      ...parts,
    });
    queue.onReady = (keys) => dispatcher.wake(keys);
    return { queue, dispatcher };
  };
  const { queue, dispatcher } = dispatcherOf(stores);
  const opened = [stores];
  context.after(async () => {
    await dispatcher.close();
    for (const { close } of opened) await close();
    await rm(folder, { recursive: true });
    assert.deepEqual(faults, []);
  });
  const states = () =>
    stores.events
      .list({ namespace: "default", state: null, function: null, trigger: null }, 0, 100)
      .map(({ state, attempts }) => `${state} ${attempts}`);
  return { stores, queue, dispatcher, clock, key, states };
}

export async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!condition() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(condition());
}
