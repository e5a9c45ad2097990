// What a call passes before it is admitted, where its function or its namespace asks for anything: a token that
// may invoke it, and the rates of the function, of that token and of the namespace. A function that is public and
// has no rate passes by two comparisons.

import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { namespaceOf, plainName } from "../namespace.ts";
import { allows, reaches, type Token } from "../token.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Rates } from "./rates.ts";
import { rateOf } from "./token-bucket.ts";
import type { Tokens } from "./tokens.ts";

export type GateParts = {
  readonly tokens: Pick<Tokens, "find">;
  readonly namespaces: Pick<Namespaces, "limitsCalls" | "quotas">;
  readonly rates: Rates;
};

/** How a call has passed. */
export type Pass = {
  /** Whether its token was for the host: the function is not to see it. */
  readonly usedToken: boolean;
  /** That say what is left of its rates; names and values alternate. */
  readonly headers: readonly string[];
};

export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Whether calls of a deployment pass without being looked at. */
  isOpen({ config }: Pick<Deployment, "config">): boolean {
    return config.access === "public" && config.ratePerSecond === 0 && !this.#parts.namespaces.limitsCalls;
  }

  /** Throws `unauthorized`, `forbidden` or `rate_limited`; `bearer` is what the request has for a token. */
  pass(deployment: Pick<Deployment, "name" | "config">, bearer: string): Pass {
    const usedToken = deployment.config.access === "token";
    const token = usedToken ? this.#token(deployment.name, bearer) : null;
    const headers = this.takeRates(deployment);
    if (token !== null) headers.push(...this.takeRateOf(token));
    return { usedToken, headers };
  }

  /** Of a call that comes from within its namespace, which needs no token. */
  takeRates({ name, config }: Pick<Deployment, "name" | "config">): string[] {
    const { rates, namespaces } = this.#parts;
    const headers: string[] = [];
    if (config.ratePerSecond > 0) {
      const rate = rateOf(config.ratePerSecond, config.rateBurst);
      headers.push(...rates.take({ policy: "function", of: name, what: `"${plainName(name)}"` }, rate));
    }
    const namespace = namespaceOf(name);
    const { callsPerSecond } = namespaces.quotas(namespace);
    if (callsPerSecond !== null) {
      const what = `By the quota "callsPerSecond" functions of the namespace "${namespace}"`;
      headers.push(...rates.take({ policy: "namespace", of: namespace, what }, rateOf(callsPerSecond, 0)));
    }
    return headers;
  }

  takeRateOf({ id, ratePerSecond, rateBurst }: Token): string[] {
    if (ratePerSecond === 0) return [];
    const name = { policy: "token", of: id, what: `By the token ${id} functions` };
    return this.#parts.rates.take(name, rateOf(ratePerSecond, rateBurst));
  }

  /** Null for the host's own. */
  #token(functionName: string, bearer: string): Token | null {
    const token = this.#parts.tokens.find(bearer);
    const shown = plainName(functionName);
    if (token === null) throw new HostError("unauthorized", `"${shown}" needs a token that may invoke it`);
    if (token === "root") return null;
    if (!allows(token, ["invoke"])) {
      throw new HostError("forbidden", "The token does not allow this: want the scope invoke");
    }
    if (!reaches(token, functionName)) {
      throw new HostError("forbidden", `The token does not allow this: it is not for "${shown}"`);
    }
    return token;
  }
}
