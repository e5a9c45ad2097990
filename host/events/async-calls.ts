// Asynchronous calls (`Prefer: respond-async`): stored before they are acknowledged, they wait in the event
// queue, and what came of them is kept for whoever asks. An answer below 500 is one; whatever else comes of
// an attempt is tried again.

import { randomUUID } from "node:crypto";
import { type AsyncAnswer, type AsyncRequest, asyncTrigger } from "../async-call.ts";
import type { DeliveryFault } from "../event.ts";
import type { Deployment, FunctionConfig } from "../function.ts";
import { limits } from "../limits.ts";
import { namespaceOf, plainName, qualifiedName } from "../namespace.ts";
import type { AsyncStore } from "../store/async-store.ts";
import type { DueDelivery, Publication } from "../store/event-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import type { DeliverySettings } from "../trigger.ts";
import { type AttemptParts, attemptCall } from "./attempts.ts";
import { madeEvent } from "./cloud-events.ts";
import { AttemptFailure, type DispatcherParts } from "./dispatcher.ts";
import type { EventQueue } from "./queue.ts";

export type AsyncCallsParts = {
  readonly store: AsyncStore;
  readonly queue: Pick<EventQueue, "telling" | "dropped">;
};

/** Of those that cannot be made, as of events. */
const maxAgeMs = 86_400_000;

export class AsyncCalls {
  readonly #parts: AsyncCallsParts;

  constructor(parts: AsyncCallsParts) {
    this.#parts = parts;
  }

  get store(): Pick<AsyncStore, "get" | "list"> {
    return this.#parts.store;
  }

  /** Its id, once it is durable; rejects with `queue_full`. */
  async accept(
    request: Omit<AsyncRequest, "id" | "function">,
    body: Uint8Array,
    { name, config }: Deployment,
    depth: number,
  ): Promise<string> {
    const { store, queue } = this.#parts;
    const id = randomUUID();
    const times = { keepMs: config.asyncKeepMs, maxAgeMs };
    await queue.telling((room) =>
      store.accept({ ...request, id, function: name }, body, times, { depth, room }),
    );
    return id;
  }

  /** Whether there was one that does not run; rejects with `event_running` for one that does. */
  async remove(id: string): Promise<boolean> {
    const deliveries = await this.#parts.store.remove(id);
    if (deliveries !== null) this.#parts.queue.dropped(deliveries);
    return deliveries !== null;
  }

  nextExpiryMs(): number | null {
    return this.#parts.store.nextExpiryMs();
  }

  /** Removes at most `max` whose time is over; how many it were. */
  async expire(max: number): Promise<number> {
    const { removed, deliveries } = await this.#parts.store.expire(max);
    this.#parts.queue.dropped(deliveries);
    return removed;
  }
}

/** How a function's asynchronous calls are delivered; null when there is no such function. */
export function asyncSettings(
  functions: Pick<FunctionStore, "live">,
  functionName: string,
): DeliverySettings | null {
  const config = functions.live(functionName)?.config;
  if (config === undefined) return null;
  return {
    path: "/",
    concurrency: config.asyncConcurrency,
    attemptsMax: config.asyncAttemptsMax,
    backoffMs: 1_000,
    backoffMaxMs: 300_000,
    maxAgeMs,
    paused: false,
  };
}

/** One attempt of an asynchronous call. */
export function asyncAttempt(
  parts: AttemptParts & { readonly functions: Pick<FunctionStore, "live"> },
): DispatcherParts["attempt"] {
  return async ({ event }, _settings, attempt) => {
    const request: AsyncRequest = JSON.parse(event.attributes["request"] ?? "");
    const config = parts.functions.live(request.function)?.config;
    const own = ["x-mayfly-invocation-id", request.id, "x-mayfly-attempt", String(attempt)];
    const { id: _, function: qualified, ...rest } = request;
    const call = {
      ...rest,
      name: plainName(qualified),
      namespace: namespaceOf(qualified),
      kind: "async" as const,
      invocationId: request.id,
      headers: [...request.headers, ...own],
      body: event.data,
      requestId: randomUUID(),
      depth: event.depth,
    };
    try {
      const { status, headers, body } = await attemptCall(parts, call, (code) => code < 500);
      // Of its own: what it lies in is larger.
      const answer = { status, headers, body: new Uint8Array(body ?? []) };
      return { answer, callback: callbackOf(config, event.depth, { request, attempt, answer, fault: null }) };
    } catch (error) {
      if (!(error instanceof AttemptFailure)) throw error;
      const { fault } = error;
      const callback = callbackOf(config, event.depth, { request, attempt, answer: null, fault });
      throw new AttemptFailure(fault, { ...error, callback });
    }
  };
}

/** What is published of one that is given up without a further attempt. */
export function asyncGivenUp(functions: {
  readonly live: (name: string) => Pick<Deployment, "config"> | null;
}): (delivery: DueDelivery, fault: DeliveryFault) => Publication | null {
  return ({ event, attempts: attempt, intact }, fault) => {
    if (!intact) return null;
    const request: AsyncRequest = JSON.parse(event.attributes["request"] ?? "");
    const config = functions.live(request.function)?.config;
    return callbackOf(config, event.depth, { request, attempt, answer: null, fault });
  };
}

type End = {
  readonly request: AsyncRequest;
  readonly attempt: number;
  readonly answer: AsyncAnswer | null;
  readonly fault: DeliveryFault | null;
};

/** What is published to the topic that the configuration names for such an end, or null. */
function callbackOf(
  config: FunctionConfig | undefined,
  depth: number,
  { request, attempt, answer, fault }: End,
): Publication | null {
  const topic = answer === null ? config?.onFailure : config?.onSuccess;
  if (topic === undefined || topic === "") return null;
  const name = plainName(request.function);
  const head = { id: request.id, function: name, attempts: attempt };
  const whole = answer === null ? { ...head, error: fault } : { ...head, answer: shownAnswer(answer) };
  const attributes = {
    type: `mayfly.invocation.${answer === null ? "failed" : "succeeded"}`,
    subject: request.id,
    datacontenttype: "application/json",
  };
  const text = JSON.stringify(whole);
  // A large answer is asked for.
  const fits = Buffer.byteLength(text) + roomForAttributes <= limits.eventBytesMax;
  const data = Buffer.from(fits ? text : JSON.stringify({ ...head, answerTooLarge: true }));
  return {
    topic: qualifiedName(topic, namespaceOf(request.function)),
    event: madeEvent(attributes, data, { source: `/functions/${name}`, depth: depth + 1 }),
  };
}

const roomForAttributes = 1_024;

function shownAnswer({ status, headers, body }: AsyncAnswer) {
  return { status, headers: headerObject(headers), body_base64: Buffer.from(body).toString("base64") };
}

/** By lower-case name; of several the values are joined, as HTTP has it, but for cookies. */
export function headerObject(headers: readonly string[]): Record<string, string> {
  const joined = new Headers();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    joined.append(headers[index] ?? "", headers[index + 1] ?? "");
  }
  return Object.fromEntries(joined);
}

/** Whether a delivery is of an asynchronous call. */
export function isAsync({ trigger }: Pick<DueDelivery, "trigger">): boolean {
  return trigger === asyncTrigger;
}
