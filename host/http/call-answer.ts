// What becomes of a call's outcome on its way to whoever asked, over HTTP or from another function: the
// guest's answer, checked, and the host's own headers about the call.

import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import type { Timings } from "../invocation.ts";
import { InvokeError } from "../invoke/invoker.ts";
import { type GuestResponse, readGuestResponse } from "./guest-response.ts";

export type AnswerParts = {
  /** A guest's fault that was found on this side goes to its log. */
  readonly onGuestFault: (deployment: Deployment, requestId: string, reason: string) => void;
};

/** The guest's response; throws InvokeError when it is none. */
export function readAnswer(
  parts: AnswerParts,
  answer: { readonly message: Uint8Array; readonly timings: Timings },
  call: { readonly method: string; readonly deployment: Deployment; readonly requestId: string },
): GuestResponse {
  try {
    return readGuestResponse(answer.message, call.method);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    parts.onGuestFault(call.deployment, call.requestId, error.message);
    throw new InvokeError(error.code, error.message, answer.timings);
  }
}

const decimals = Array.from({ length: 1_000 }, (_, number) => `.${String(number).padStart(3, "0")}`);
const ofNoMillisecond = decimals.map((digits) => `0${digits}`);

/** As `toFixed(3)` of a time that is not negative, at a fraction of the price: there are five in each answer. */
export function thousandths(ms: number): string {
  const us = Math.round(ms * 1_000);
  if (us < 1_000) return ofNoMillisecond[us] as string;
  const rest = us % 1_000;
  return `${(us - rest) / 1_000}${decimals[rest]}`;
}

/** The headers by which the host speaks of a call (docs/lifecycle.md); names and values alternate. */
export function callHeaders(requestId: string, deployment: Deployment | null, timings: Timings): string[] {
  const headers = ["x-mayfly-request-id", requestId];
  if (deployment !== null) headers.push("x-mayfly-version", String(deployment.version));
  const timing = serverTiming(timings);
  if (timing !== "") headers.push("server-timing", timing);
  if (timings.cpu !== undefined) headers.push("x-mayfly-cpu-ms", thousandths(timings.cpu));
  return headers;
}

/** The phases that took place, in their order, as a value of Server-Timing. */
function serverTiming({ queue, load, compile, instantiate, run, wait }: Timings): string {
  let timing = "";
  // Named one by one: by names in variables the engine looks them up, which takes as long as all else here.
  if (queue !== undefined) timing = `queue;dur=${thousandths(queue)}`;
  if (load !== undefined) timing += `${comma(timing)}load;dur=${thousandths(load)}`;
  if (compile !== undefined) timing += `${comma(timing)}compile;dur=${thousandths(compile)}`;
  if (instantiate !== undefined) timing += `${comma(timing)}instantiate;dur=${thousandths(instantiate)}`;
  if (run !== undefined) timing += `${comma(timing)}run;dur=${thousandths(run)}`;
  if (wait !== undefined) timing += `${comma(timing)}wait;dur=${thousandths(wait)}`;
  return timing;
}

function comma(before: string): "" | ", " {
  return before === "" ? "" : ", ";
}
