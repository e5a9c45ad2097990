// Calls of the functions under measurement: the request's bytes, made once, and the connections that send
// them. What is no success is told apart here: a refusal, which an overloaded host may give, and a
// failure of the function, which ends a run.

import { CommandFailure, messageOf, systemCodeOf } from "../failure.ts";
import { problemFailure } from "../host-answer.ts";
import { displayUrl } from "../http-request.ts";
import { headerOf, type Phases, phasesOf } from "./answer-head.ts";
import { Connection, ConnectionLost, type Exchange } from "./connection.ts";

export type CallSample = {
  /** From when the call was to be sent to the last byte of the answer. */
  readonly endToEndMs: number;
  readonly phases: Phases;
};

/** What every call of a run sends. */
export type CallTemplate = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | undefined;
};

export type Request = { readonly method: string; readonly bytes: Uint8Array; readonly name: string };

/** `target` is path and query as they go on the wire, without the base's own path. */
export function encodeRequest(base: URL, name: string, target: string, template: CallTemplate): Request {
  const { method, headers, body } = template;
  const path = base.pathname.replace(/\/+$/, "") + target;
  const fields = Object.entries(headers).flatMap(([field, values]) =>
    [values].flat().map((value) => `${field}: ${value}\r\n`),
  );
  const host = Object.hasOwn(headers, "host") ? "" : `host: ${base.host}\r\n`;
  const length = body === undefined ? "" : `content-length: ${body.byteLength}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\n${host}${fields.join("")}${length}\r\n`;
  return { method, name, bytes: Buffer.concat([Buffer.from(head, "latin1"), body ?? new Uint8Array(0)]) };
}

/** As many connections as are used at the same time; each is opened when it is needed. */
export class Caller {
  readonly #base: URL;
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();

  constructor(base: URL) {
    this.#base = base;
  }

  /** Opens so many, so that no call waits for one. */
  async connect(count: number): Promise<void> {
    while (this.#open.size < count) {
      // A listening socket holds a few hundred that nobody has accepted yet.
      const connections = Math.min(100, count - this.#open.size);
      const opened = await Promise.all(Array.from({ length: connections }, () => this.#connected()));
      this.#idle.push(...opened);
    }
  }

  /** Whatever the host answers; throws CommandFailure `host_unreachable` or `connection_lost`. */
  async send(request: Request): Promise<Exchange> {
    try {
      return await this.#sendOnce(request);
    } catch (error) {
      if (error instanceof ConnectionLost && error.wasIdle) return this.#sendOnce(request);
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#open) connection.close();
    this.#open.clear();
    this.#idle.length = 0;
  }

  async #sendOnce({ method, bytes }: Request): Promise<Exchange> {
    const connection = this.#takeIdle() ?? (await this.#connected());
    try {
      const exchange = await connection.exchange(bytes, method);
      if (connection.closed) this.#open.delete(connection);
      else this.#idle.push(connection);
      return exchange;
    } catch (error) {
      this.#open.delete(connection);
      if (!(error instanceof ConnectionLost) || error.wasIdle) throw error;
      const message = `The host at ${displayUrl(this.#base)} closed a connection under a call: ${error.message}`;
      throw new CommandFailure("connection_lost", message, { cause: error });
    }
  }

  #takeIdle(): Connection | null {
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      if (!next.closed) return next;
      this.#open.delete(next);
    }
    return null;
  }

  async #connected(): Promise<Connection> {
    try {
      const connection = await Connection.open(this.#base);
      this.#open.add(connection);
      return connection;
    } catch (error) {
      const reason = systemCodeOf(error) ?? messageOf(error);
      const message = `Cannot reach the host at ${displayUrl(this.#base)}: ${reason}; start one with "mayfly serve"`;
      throw new CommandFailure("host_unreachable", message, { cause: error });
    }
  }
}

/** Whether the host had no room for the call: no fault of the function. */
export function isRefusal({ status, head, body }: Exchange): boolean {
  return status === 429 || (status === 503 && codeOf(head, status, body) === "overloaded");
}

/** Throws CommandFailure `call_failed` with what was answered, from status 400 on. */
export function assertSuccess(request: Request, exchange: Exchange): void {
  const { status, head, body } = exchange;
  if (status < 400) return;
  const code = codeOf(head, status, body);
  const why = code === null ? "" : `: ${problemFailure(status, body).message}`;
  throw new CommandFailure(
    "call_failed",
    `A call of ${request.name} answered ${status}${why}; a function is measured while it answers below 400`,
    { details: { function: request.name, status, answered: code } },
  );
}

/** `sinceMs` is when the call was to be sent. */
export function sampleOf(exchange: Exchange, sinceMs = exchange.sentAtMs): CallSample {
  return { endToEndMs: exchange.endedAtMs - sinceMs, phases: phasesOf(exchange.head) };
}

/** The code of a problem document; null for any other answer. */
function codeOf(head: string, status: number, body: string): string | null {
  if (!/^application\/problem\+json\s*(;|$)/i.test(headerOf(head, "content-type") ?? "")) return null;
  return problemFailure(status, body).code;
}
