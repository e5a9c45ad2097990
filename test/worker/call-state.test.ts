// What a host call may do when: the state machine of one call.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { hostCallImports, hostCallType } from "../../host/worker/abi/offered.ts";
import { CallState } from "../../host/worker/call-state.ts";
import { GuestLog } from "../../host/worker/guest-log.ts";
import { GuestMemory } from "../../host/worker/guest-memory.ts";

function state(memory = true): CallState {
  const made = new CallState(new Uint8Array(4), new Map(), new GuestLog(() => {}));
  if (memory) made.memory = new GuestMemory(new WebAssembly.Memory({ initial: 1 }));
  return made;
}

test("once a call has a fault every further host call throws that fault", () => {
  const call = state();
  const fault = call.fail("guest_trapped", "first");
  assert.throws(() => call.enter(), fault);
  call.fail("bad_guest_output", "second");
  assert.equal(call.fault, fault, "the first fault counts");
});

test("once a call is over no host call answers", () => {
  const call = state();
  call.phase = "ended";
  assert.throws(() => call.enter(), /the call is over/);
});

test("some host calls wait for the entry point", () => {
  const call = state();
  assert.throws(() => call.enterRunning("random"), /random was called while the start function ran/);
  const running = state();
  running.phase = "running";
  running.enterRunning("random");
});

test("host calls are counted, at the limit and one beyond", () => {
  const call = state();
  for (let count = 0; count < limits.hostCallsPerCallMax; count += 1) call.enter();
  assert.throws(() => call.enter(), /host calls/);
});

test("a host call without a memory is a fault of the guest", () => {
  assert.throws(() => state(false).enter(), /no memory/);
});

test("import objects have no prototype and hold what was asked for and is offered, no more", () => {
  const wanted = [
    ["mayfly", "now"],
    ["env", "constructor"],
    ["__proto__", "x"],
    ["other", "now"],
  ] as const;
  const imports = hostCallImports({ call: state() }, wanted, false);
  assert.equal(Object.getPrototypeOf(imports), null);
  assert.deepEqual(Object.keys(imports), ["mayfly"]);
  assert.equal(Object.getPrototypeOf(imports["mayfly"]), null);
  assert.deepEqual(Object.keys(imports["mayfly"] ?? {}), ["now"]);
});

test("hostCallType knows own names alone", () => {
  assert.deepEqual(hostCallType("mayfly", "now")?.results, ["f64"]);
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assert.equal(hostCallType("mayfly", name), undefined);
    assert.equal(hostCallType(name, name), undefined);
  }
});
