// One request to another host and its whole answer, over a connection to one of the addresses that were
// checked: the name is not looked up again (docs/threat-model.md D8).

import type { LookupAddress } from "node:dns";
import {
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { BodyShare } from "../http/body-budget.ts";
import { type BodyBounds, BodyBytes } from "../http/body-bytes.ts";
import { limits } from "../limits.ts";

export type Hop = {
  /** The function that asks: connections are its own. */
  readonly owner: string;
  readonly url: URL;
  /** Where its host is; null for one that is an address itself. */
  readonly addresses: readonly LookupAddress[] | null;
  readonly method: string;
  /** Names and values alternate. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
};

export type HopAnswer = {
  readonly status: number;
  /** As they came; names and values alternate. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
};

const answerBody: BodyBounds = {
  what: "answer",
  bytesMax: limits.responseBodyBytesMax,
  idleTimeoutMs: limits.fetchTimeoutMs,
  tooLarge: "body_too_large",
};

/** Idle connections are closed after so long, ms: servers mostly wait a little longer. */
const idleMs = 4_000;

type Pinned = Parameters<HttpAgent["getName"]>[0] & { readonly pinned?: string };

/**
 * A connection is used again by the same function and for the same checked addresses alone: another may
 * ask fewer, and what one sends must not get between another's request and its answer.
 */
class PinnedHttpAgent extends HttpAgent {
  override getName(options?: Pinned): string {
    return `${super.getName(options)}:${options?.pinned ?? ""}`;
  }
}

class PinnedHttpsAgent extends HttpsAgent {
  override getName(options?: Pinned): string {
    return `${super.getName(options)}:${options?.pinned ?? ""}`;
  }
}

/** Methods that may be sent twice (RFC 9110, section 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

export class Hops {
  readonly #options = { keepAlive: true, timeout: idleMs, maxFreeSockets: 64 };
  readonly #http = new PinnedHttpAgent(this.#options);
  readonly #https = new PinnedHttpsAgent(this.#options);

  /** Rejects with what the connection met, a HostError when the answer is too large, or the signal's reason. */
  async send(hop: Hop, share: BodyShare, signal: AbortSignal): Promise<HopAnswer> {
    try {
      return await this.#send(hop, share, signal, true);
    } catch (error) {
      // The other side closed an idle connection while this request was on its way.
      if (!(error instanceof StaleConnection)) throw error;
      if (!idempotent.has(hop.method)) throw error.cause;
      return await this.#send(hop, share, signal, false);
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(
    { owner, url, addresses, method, headers, body }: Hop,
    share: BodyShare,
    signal: AbortSignal,
    mayReuse: boolean,
  ): Promise<HopAnswer> {
    const isHttps = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const request = (isHttps ? requestHttps : requestHttp)(url, {
        method,
        headers: [...headers],
        agent: mayReuse && (isHttps ? this.#https : this.#http),
        signal,
        pinned: `${owner}:${addresses?.map(({ address }) => address).join() ?? ""}`,
        ...(addresses !== null && { lookup: pinnedLookup(addresses) }),
      } as RequestOptions);
      let answered = false;
      request.once("response", (response) => {
        answered = true;
        readAnswer(response, method, share)
          .then(resolve, reject)
          // An answer may come before the request has been taken whole, and after it nobody may take that.
          .finally(() => {
            if (!response.complete || !request.writableFinished) request.destroy();
          });
      });
      // As after 101, with which the connection would become another thing.
      request.once("close", () => {
        if (!answered) reject(Object.assign(new Error("closed without an answer"), { code: "ECONNRESET" }));
      });
      request.on("error", (error) => {
        const stale = request.reusedSocket && !answered && !signal.aborted;
        reject(stale ? new StaleConnection("the connection was closed", { cause: error }) : error);
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

function pinnedLookup(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
    else callback(new Error("no address"), "");
  };
}

async function readAnswer(response: IncomingMessage, method: string, share: BodyShare): Promise<HopAnswer> {
  const announced = method === "HEAD" ? null : response.headers["content-length"];
  const body = new BodyBytes(answerBody, announced, share);
  for await (const chunk of response) body.add(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.rawHeaders, body: body.whole() };
}
