// Host calls that move many bytes take milliseconds where metering counts a few instructions: between
// them the guest's turn, its limits and a word from outside are looked at.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { type Verdict, verdict } from "../../host/prepared-names.ts";
import { CallState } from "../../host/worker/call-state.ts";
import type { Guest } from "../../host/worker/guest-instance.ts";
import { GuestLog } from "../../host/worker/guest-log.ts";
import { newInstance } from "../../host/worker/instances.ts";
import { cachedModule } from "../../host/worker/module-cache.ts";
import { setupOf } from "../support/setups.ts";

const callsMade = 50;
const bytesEach = 32_768;

const storms: readonly (readonly [name: string, body: string])[] = [
  ["request_read", "(call $read (i32.const 65536))"],
  ["result_read", "(call $result (i32.const 65536))"],
  ["random", "(call $random (i32.const 65536) (i32.const 32768))"],
  ["log", "(call $log (i32.const 1) (i32.const 65536) (i32.const 32768))"],
  ["env_get", "(drop (call $env (i32.const 65536) (i32.const 32768)))"],
  ["console.log", "(call $console (i32.const 65536))"],
  ["ask", "(drop (call $ask (i32.const 65536) (i32.const 32768)))"],
];

/** Makes one host call after another, and goes on whatever comes of them. */
const guest = (body: string): string => `(module
  (import "mayfly" "request_read" (func $read (param i32)))
  (import "mayfly" "result_read" (func $result (param i32)))
  (import "mayfly" "random" (func $random (param i32 i32)))
  (import "mayfly" "log" (func $log (param i32 i32 i32)))
  (import "mayfly" "env_get" (func $env (param i32 i32) (result i32)))
  (import "mayfly" "ask" (func $ask (param i32 i32) (result i32)))
  (import "env" "console.log" (func $console (param i32)))
  (memory (export "memory") 2) (data (i32.const 65532) "\\00\\80\\00\\00")
  (func (export "mayfly_handle") (param i32) (local $left i32)
    (local.set $left (i32.const ${callsMade}))
    (loop
      (try (do ${body}) (catch_all))
      (br_if 0 (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))`;

function instanceOf(body: string, turn: () => Verdict, pause: () => Promise<Verdict>): Guest {
  const state = new CallState(new Uint8Array(bytesEach), new Map(), new GuestLog(() => {}));
  state.result = new Uint8Array(bytesEach);
  state.waiter = {
    wait: (work) => work,
    keepResult: () => true,
    keepFiles: () => true,
    suspends: () => {},
    onLeaving: () => {},
  };
  state.errands = {
    run: async () => ({ failed: false, message: new Uint8Array(bytesEach) }),
    forget: () => {},
  };
  const goOn = () => verdict.goOn;
  const setup = cachedModule(setupOf(guest(body)));
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  return newInstance(setup.code, memory, { state, check: goOn, pause, turn, grow: () => false });
}

for (const [name, body] of storms) {
  test(`${name}: others have their turn between two calls of it, and it can be stopped there`, async () => {
    let turns = 0;
    let pauses = 0;
    const patient = instanceOf(
      body,
      () => (++turns % 2 === 0 ? verdict.goOn : verdict.pause),
      async () => {
        pauses += 1;
        return verdict.goOn;
      },
    );
    await patient.runEntry();
    assert.deepEqual([turns, pauses], [callsMade, callsMade / 2]);

    let asked = 0;
    const stopped = instanceOf(
      body,
      () => {
        asked += 1;
        return asked === 1 ? verdict.pause : verdict.stop;
      },
      async () => verdict.goOn,
    );
    await assert.rejects(stopped.runEntry(), WebAssembly.RuntimeError);
    assert.equal(asked, 2, "no catch_all sees it");
  });
}
