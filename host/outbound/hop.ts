// One request to another host and its whole answer, over a connection to one of the addresses that were
// checked: the name is not looked up again (docs/threat-model.md D8).

import type { LookupAddress } from "node:dns";
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { BodyShare } from "../http/body-budget.ts";
import { type BodyBounds, BodyBytes } from "../http/body-bytes.ts";
import { limits } from "../limits.ts";

export type Hop = {
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

/** A connection is used again for the same checked addresses alone: another function may ask fewer. */
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
      return await this.#send(hop, share, signal);
    } catch (error) {
      // The other side closed an idle connection while this request was on its way.
      if (!(error instanceof StaleConnection) || !idempotent.has(hop.method)) throw error;
      return await this.#send(hop, share, signal);
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(
    { url, addresses, method, headers, body }: Hop,
    share: BodyShare,
    signal: AbortSignal,
  ): Promise<HopAnswer> {
    const isHttps = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const request = (isHttps ? requestHttps : requestHttp)(url, {
        method,
        headers: [...headers],
        agent: isHttps ? this.#https : this.#http,
        signal,
        ...(addresses === null
          ? {}
          : { lookup: pinnedLookup(addresses), pinned: addresses.map(({ address }) => address).join() }),
      });
      let answered = false;
      request.once("response", (response) => {
        answered = true;
        readAnswer(response, method, share).then(resolve, (error: unknown) => {
          request.destroy();
          reject(error);
        });
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
