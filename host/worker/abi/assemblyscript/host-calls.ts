// The host calls of the AssemblyScript ABI and its SDK (docs/abi.md): modules `mayfly` and `env`.

import { randomFillSync } from "node:crypto";
import type { ErrandKind, ErrandReply, LogLevel } from "../../../invocation.ts";
import { limits } from "../../../limits.ts";
import { answeredTwice, type CallState, type Waiter } from "../../call-state.ts";
import { GuestFault } from "../../guest-memory.ts";
import { call, type HostCall, type HostCalls, suspendingCall } from "../host-call.ts";
import { beginAnswer, pushAnswer, readBody, readRest } from "./stream-calls.ts";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const consoleCall = (level: LogLevel): HostCall =>
  call(["i32"], [], (state, message: number) => {
    const memory = state.enter();
    state.log.write(level, memory.assemblyScriptString(message));
  });

const dateNow = call([], ["f64"], (state) => {
  state.enterRunning("now");
  return Date.now();
});

function waiterOf({ waiter }: CallState): Waiter {
  if (waiter === null) throw new Error("A guest ran with nothing to wait by");
  return waiter;
}

const noRoom = Buffer.from("overloaded: the host has no room for the answer");

/** What a guest gets of an answer: its length, or, where there is none, that of the reason, negated. */
function replied(state: CallState, { failed, message }: ErrandReply): number {
  const waiter = waiterOf(state);
  if (!waiter.keepResult(message.byteLength)) {
    waiter.keepResult(0);
    state.result = noRoom;
    return -noRoom.byteLength;
  }
  state.result = message;
  return failed ? -message.byteLength : message.byteLength;
}

const errandsMax: Readonly<Record<ErrandKind, { readonly count: number; readonly noun: string }>> = {
  fetch: { count: limits.fetchesPerCallMax, noun: "fetches" },
  ask: { count: limits.asksPerCallMax, noun: "questions" },
};

/** A host call by which the main thread does what the message at a pointer says. */
const errandCall = (kind: ErrandKind, what: string): HostCall =>
  suspendingCall(["i32", "i32"], ["i32"], (state, pointer: number, length: number) => {
    const memory = state.enterRunning(kind);
    const lengthMax = limits.requestBodyBytesMax + 2 * limits.responseHeaderBytesMax;
    const message = memory.copy(pointer, length, lengthMax, what);
    state.errandCounts[kind] += 1;
    const { count, noun } = errandsMax[kind];
    if (state.errandCounts[kind] > count) {
      return replied(state, { failed: true, message: Buffer.from(`overloaded: more than ${count} ${noun}`) });
    }
    const { errands } = state;
    if (errands === null) throw new Error("A guest ran with nobody to do its errands");
    return waiterOf(state)
      .wait(errands.run(kind, message), () => errands.forget())
      .then((reply) => replied(state, reply));
  });

/** Keeps a text as the result; its length, or -1 where there is none. */
function found(state: CallState, text: string | undefined): number {
  if (text === undefined) return -1;
  state.result = Buffer.from(text);
  return state.result.byteLength;
}

export const mayfly: HostCalls = {
  request_read: call(["i32"], [], (state, pointer: number) => {
    const memory = state.enterRunning("request_read");
    memory.write(pointer, state.message);
  }),
  response_write: call(["i32", "i32"], [], (state, pointer: number, length: number) => {
    const memory = state.enterRunning("response_write");
    if (state.answer !== null || state.writer !== null) {
      throw new GuestFault("bad_guest_output", answeredTwice);
    }
    const lengthMax = limits.responseBodyBytesMax + 2 * limits.responseHeaderBytesMax;
    state.answer = memory.copy(pointer, length, lengthMax, "the answer", state.answerRoom);
  }),
  body_read: suspendingCall(["i32", "i32"], ["i32"], (state, pointer: number, length: number) =>
    readBody(state, pointer, length),
  ),
  body_rest: suspendingCall([], ["i32"], readRest),
  response_begin: call(["i32", "i32"], [], (state, pointer: number, length: number) =>
    beginAnswer(state, pointer, length),
  ),
  response_push: suspendingCall(["i32", "i32"], [], (state, pointer: number, length: number) =>
    pushAnswer(state, pointer, length),
  ),
  response_end: call([], [], (state) => {
    state.enterRunning("response_end");
    state.endAnswer();
  }),
  env_get: call(["i32", "i32"], ["i32"], (state, pointer: number, length: number) =>
    found(state, state.env.get(state.enter().text(pointer, length))),
  ),
  // Not while it starts: nothing of a secret lies in an image that outlives the call.
  secret_get: call(["i32", "i32"], ["i32"], (state, pointer: number, length: number) =>
    found(state, state.setting.secrets.get(state.enterRunning("secret_get").text(pointer, length))),
  ),
  result_read: call(["i32"], [], (state, pointer: number) => {
    state.enter().write(pointer, state.result);
  }),
  log: call(["i32", "i32", "i32"], [], (state, level: number, pointer: number, length: number) => {
    const memory = state.enter();
    state.log.write(levels[level] ?? "info", memory.text(pointer, length));
  }),
  now: dateNow,
  sleep: suspendingCall(["f64"], [], (state, ms: number) => {
    state.enterRunning("sleep");
    let timer: NodeJS.Timeout;
    const slept = new Promise<void>((resolve) => {
      // No number is no time. The call's own limit ends longer ones.
      timer = setTimeout(resolve, Math.min(limits.sleepMsMax, Math.max(0, ms || 0)));
    });
    return waiterOf(state).wait(slept, () => clearTimeout(timer));
  }),
  fetch: errandCall("fetch", "what is to be fetched"),
  ask: errandCall("ask", "what is asked"),
  random: call(["i32", "i32"], [], (state, pointer: number, length: number) => {
    const memory = state.enterRunning("random");
    if (length >>> 0 > limits.randomBytesMax) {
      throw new GuestFault(
        "bad_guest_output",
        `random asks ${length >>> 0} bytes, limit is ${limits.randomBytesMax}`,
      );
    }
    randomFillSync(memory.view(pointer, length));
  }),
};

export const env: HostCalls = {
  abort: call(
    ["i32", "i32", "i32", "i32"],
    [],
    (state, message: number, file: number, line: number, column: number) => {
      const memory = state.enter();
      const text = memory.assemblyScriptString(message) || "abort";
      const source = memory.assemblyScriptString(file);
      const place = source ? ` at ${source}:${line >>> 0}:${column >>> 0}` : "";
      throw new GuestFault("guest_trapped", `${text}${place}`);
    },
  ),
  trace: call(
    ["i32", "i32", "f64", "f64", "f64", "f64", "f64"],
    [],
    (state, message: number, count: number, ...values: number[]) => {
      const memory = state.enter();
      const shown = values.slice(0, Math.max(0, Math.min(count, values.length)));
      state.log.write("debug", ["trace:", memory.assemblyScriptString(message), ...shown].join(" "));
    },
  ),
  seed: call([], ["f64"], (state) => {
    state.enterRunning("seed");
    const cell = new DataView(new ArrayBuffer(8));
    randomFillSync(cell);
    return cell.getFloat64(0);
  }),
  "console.debug": consoleCall("debug"),
  "console.log": consoleCall("info"),
  "console.info": consoleCall("info"),
  "console.warn": consoleCall("warn"),
  "console.error": consoleCall("error"),
  "Date.now": dateNow,
};
