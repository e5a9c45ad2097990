// What a component's instance has of the host: a stream keeps the file that it leads to, an answer that comes
// wakes those that still wait for it, and the allocator has its time for a host call, not for each piece of it.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { encodeResponse } from "../../host/messages.ts";
import { ComponentCall } from "../../host/worker/abi/component/component-call.ts";
import { Descriptor } from "../../host/worker/abi/component/descriptors.ts";
import { Fields } from "../../host/worker/abi/component/fields.ts";
import { ComponentGuest } from "../../host/worker/abi/component/guest.ts";
import { Holdings } from "../../host/worker/abi/component/holdings.ts";
import { FutureResponse, OutgoingRequest } from "../../host/worker/abi/component/outgoing-request.ts";
import { CallState } from "../../host/worker/call-state.ts";
import { FileSystem } from "../../host/worker/filesystem/file-system.ts";
import { emptyTree } from "../../host/worker/filesystem/nodes.ts";
import { GuestLog } from "../../host/worker/guest-log.ts";
import { GuestMemory } from "../../host/worker/guest-memory.ts";

/** Counts in `held` what is held, by the last word of it. */
function stateOf(held: { bytes: number }): CallState {
  const state = new CallState(new Uint8Array(0), new Map(), new GuestLog(() => {}));
  state.waiter = {
    wait: (work) => work,
    keepResult: () => true,
    keepFiles: (bytes) => {
      held.bytes = bytes;
      return true;
    },
    suspends: () => {},
    onLeaving: () => {},
  };
  return state;
}

test("a file lasts as long as a stream of it, and counts until then", () => {
  let held = 0;
  const hold = (bytes: number): boolean => {
    held += bytes;
    return true;
  };
  const files = new FileSystem(emptyTree, hold, () => 0);
  const root = new Descriptor(files, files.root, { reads: true, writes: false });
  const options = { create: true, exclusive: false, truncate: false, directory: false, write: true };
  const opened = root.open("tmp/f", options, true);
  assert.ok(opened.tag === "ok");
  const [writer, reader] = [opened.value.writer(0n), opened.value.reader(0n)];
  assert.ok(writer.tag === "ok" && reader.tag === "ok");
  writer.value.write(new Uint8Array(100_000));
  assert.equal(files.remove(files.root, "tmp/f", "file"), null);
  opened.value.dropped();
  assert.ok(held >= 100_000);
  writer.value.dropped();
  assert.ok(held >= 100_000);
  assert.deepEqual(reader.value.read(4), new Uint8Array(4));
  reader.value.dropped();
  assert.equal(held, 0);
});

test("an answer counts from when it comes until nobody can read it, and wakes who waits then", async () => {
  const held = { bytes: 0 };
  const state = stateOf(held);
  const reply = Promise.withResolvers<{ failed: boolean; message: Uint8Array<ArrayBuffer> }>();
  state.errands = { run: () => reply.promise, forget: () => {} };
  const call = new ComponentCall(state, new Holdings());
  const request = new OutgoingRequest(call.keep, new Fields(call.keep, [["name", "value"]]));
  const body = request.body();
  const future = new FutureResponse(call, request, 0);
  const [first, second] = [future.subscribe().begin(), future.subscribe().begin()];
  body?.write()?.write(new Uint8Array(50_000));
  assert.ok(held.bytes >= 50_000);
  body?.finish();
  first.cancel();
  reply.resolve({ failed: false, message: encodeResponse(200, [], new Uint8Array(70_000)) });
  await second.done;
  const fetched = future.get();
  assert.ok(fetched?.tag === "ok" && fetched.value.tag === "ok");
  assert.ok(held.bytes >= 70_000 && held.bytes < 80_000);
  const stream = fetched.value.value.consume()?.stream();
  fetched.value.value.dropped();
  future.dropped();
  assert.ok(held.bytes >= 70_000);
  stream?.dropped();
  assert.equal(held.bytes, 0);
});

test("the allocator has its checks for a host call in all", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const state = stateOf({ bytes: 0 });
  state.memory = new GuestMemory(memory);
  const guest = new ComponentGuest(memory, state);
  const found: (number | null)[] = [];
  const realloc = (): number => {
    found.push(guest.allocationChecks);
    guest.allocationChecks = (guest.allocationChecks ?? 0) - 600;
    return 0;
  };
  for (const _call of [1, 2]) {
    guest.enter();
    for (const _piece of [1, 2]) guest.allocate(realloc, 8, 1);
  }
  const { allocationChecksMax } = limits;
  assert.deepEqual(found, [
    allocationChecksMax,
    allocationChecksMax - 600,
    allocationChecksMax,
    allocationChecksMax - 600,
  ]);
});
