// Sends the spans of sampled calls to a collector, over OTLP/HTTP in JSON. Calls never wait for it: what ended
// is put into a bounded queue and sent in batches, one at a time, and what the collector is too slow for, or
// refuses, is dropped and counted. Without a sampled call it has no timer and no connection.

import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import type { EndedCall } from "../ended-call.ts";
import { limits } from "../limits.ts";
import { otlpJson, type Resource } from "./otlp-json.ts";

export type TraceExporterOptions = {
  readonly endpoint: URL;
  /** Further headers, such as a token. */
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Resource;
  /** Told of an export that failed, but once until one succeeds. */
  readonly onFailure: (reason: string) => void;
  readonly bounds?: Partial<TraceExporterBounds>;
};

export type TraceExporterBounds = {
  readonly queuedMax: number;
  readonly batchMax: number;
  /** What has come waits so long for more, ms. */
  readonly gatherMs: number;
  /** One request and its whole answer, ms. */
  readonly timeoutMs: number;
  readonly attemptsMax: number;
  /** Before the second attempt; twice as long before each further one, ms. */
  readonly backoffMs: number;
};

const boundsDefault: TraceExporterBounds = {
  queuedMax: limits.tracesQueuedMax,
  batchMax: 512,
  gatherMs: 1_000,
  timeoutMs: 10_000,
  attemptsMax: 4,
  backoffMs: 1_000,
};

/** OTLP 1.x, section "Retryable Response Codes". */
const retryable = new Set([429, 502, 503, 504]);
const retryAfterMsMax = 30_000;
/** Of an answer nobody reads more. */
const answerBytesMax = 65_536;
const idleMs = 4_000;

type Reply =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly againMs: number | null };

export class TraceExporter {
  readonly #options: TraceExporterOptions;
  readonly #bounds: TraceExporterBounds;
  readonly #agent: HttpAgent;
  #queue: EndedCall[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  readonly #closing = new AbortController();
  #failing = false;
  /** Calls whose spans were taken by the collector, and those that were not. */
  exported = 0;
  droppedFull = 0;
  droppedFailed = 0;

  constructor(options: TraceExporterOptions) {
    this.#options = options;
    this.#bounds = { ...boundsDefault, ...options.bounds };
    const agentOptions = { keepAlive: true, maxSockets: 1, timeout: idleMs };
    this.#agent = isHttps(options.endpoint) ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  }

  get queued(): number {
    return this.#queue.length;
  }

  ended(call: EndedCall): void {
    if (this.#closing.signal.aborted) return;
    if (this.#queue.length >= this.#bounds.queuedMax) {
      this.droppedFull += 1;
      return;
    }
    this.#queue.push(call);
    if (this.#queue.length >= this.#bounds.batchMax) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#bounds.gatherMs).unref();
  }

  /** Sends what there is, once and within `waitMs`; what is left then is dropped. */
  async close(waitMs: number): Promise<void> {
    this.#send();
    await Promise.race([this.#sending, pause(waitMs, undefined, { ref: false })]);
    this.#closing.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#agent.destroy();
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closing.signal.aborted) {
      const batch = this.#queue.slice(0, this.#bounds.batchMax);
      this.#queue = this.#queue.slice(batch.length);
      const failure = await this.#export(otlpJson(batch, this.#options.resource));
      if (failure === null) {
        this.exported += batch.length;
        this.#failing = false;
        continue;
      }
      this.droppedFailed += batch.length;
      if (!this.#failing) this.#options.onFailure(failure);
      this.#failing = true;
    }
  }

  /** Null when the collector has taken it, else why not. */
  async #export(body: string): Promise<string | null> {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#post(body);
      if (reply.ok) return null;
      if (reply.againMs === null || attempt >= this.#bounds.attemptsMax) return reply.reason;
      const restMs = Math.max(reply.againMs, this.#bounds.backoffMs * 2 ** (attempt - 1));
      const { signal } = this.#closing;
      await pause(restMs, undefined, { ref: false, signal }).catch(() => {});
      if (signal.aborted) return reply.reason;
    }
  }

  #post(body: string): Promise<Reply> {
    const { endpoint, headers } = this.#options;
    const request = isHttps(endpoint) ? requestHttps : requestHttp;
    return new Promise((resolve) => {
      const failed = (error: Error): void => resolve({ ok: false, reason: error.message, againMs: 0 });
      const sent = request(
        endpoint,
        {
          method: "POST",
          agent: this.#agent,
          // From its beginning to the end of the answer: a collector may send byte by byte.
          signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#bounds.timeoutMs)]),
          headers: {
            ...headers,
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
          },
        },
        (answer) => {
          let bytes = 0;
          answer.on("data", (chunk: Buffer) => {
            bytes += chunk.byteLength;
            if (bytes > answerBytesMax) answer.destroy(new Error("its answer is too long"));
          });
          answer.on("error", failed);
          answer.on("end", () => resolve(replyOf(answer)));
        },
      );
      sent.on("error", failed);
      sent.end(body);
    });
  }
}

function replyOf({ statusCode = 0, headers }: IncomingMessage): Reply {
  if (statusCode >= 200 && statusCode <= 299) return { ok: true };
  const reason = `it answered ${statusCode}`;
  if (!retryable.has(statusCode)) return { ok: false, reason, againMs: null };
  const seconds = Number(headers["retry-after"] ?? 0);
  return { ok: false, reason, againMs: seconds > 0 ? Math.min(seconds * 1_000, retryAfterMsMax) : 0 };
}

function isHttps({ protocol }: URL): boolean {
  return protocol === "https:";
}
