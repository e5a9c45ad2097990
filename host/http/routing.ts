// Routes on the way of a request: takes those that a route is for, before names of functions and the control
// plane are looked for, and answers what needs no function. What is the host's own on its own names is never
// taken.

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { isReservedPath, type Route, type RouteSettings, routedFunction } from "../route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { corsHeaders, isPreflight, preflightHeaders } from "./cors.ts";
import { endUnread } from "./error-response.ts";
import { isOwnName } from "./guard.ts";
import { ResponseCache } from "./response-cache.ts";
import { type RouteMatch, RouteTable } from "./route-table.ts";
import { type FunctionTarget, functionDomain, hostName, type Target } from "./target.ts";
import { ViaRoute } from "./via-route.ts";

export type RoutingParts = {
  readonly store: RouteStore;
  /** Further names of the host's own. */
  readonly hostNames: readonly string[];
  readonly cache?: ResponseCache;
};

export class Routing {
  readonly #parts: RoutingParts;
  readonly #cache: ResponseCache;
  #table = new RouteTable();
  /** Those of the table, by id. */
  #known = new Map<string, Route>();

  constructor(parts: RoutingParts) {
    this.#parts = parts;
    this.#cache = parts.cache ?? new ResponseCache();
    this.reload();
  }

  /** Reads all of them anew. */
  reload(): void {
    const routes = this.#parts.store.all();
    this.#known = new Map(routes.map((route) => [route.id, route]));
    this.#table = new RouteTable();
    for (const route of routes) this.#table.add(route);
  }

  /** Whether a name in a pattern is one of the host's own. */
  isOwnHost(name: string): boolean {
    return isOwnName(name, "", this.#parts.hostNames);
  }

  /** As `RouteStore.put`; requests see it from then on. */
  async put(id: string, settings: RouteSettings): Promise<boolean> {
    return this.#changed(id, () => this.#parts.store.put(id, settings));
  }

  async remove(id: string): Promise<boolean> {
    return this.#changed(id, () => this.#parts.store.remove(id));
  }

  /** The function that a request is for by a route; `answered` when that was all; null where none takes it. */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
  ): FunctionTarget | "answered" | null {
    if (this.#table.count === 0) return null;
    const match = this.#match(request, target);
    if (match === null) return null;
    const { settings } = match.route;
    const { method = "GET", headers } = request;
    if (settings.cors !== undefined && isPreflight(method, headers)) {
      answer(request, response, { status: 204, headers: preflightHeaders(settings.cors, headers), body: "" });
      return "answered";
    }
    const name = routedFunction(settings);
    if (name === null) {
      answer(request, response, fixedAnswer(settings, request));
      return "answered";
    }
    const via = new ViaRoute(match, request, this.#cache);
    return {
      name,
      pin: settings.pin ?? null,
      path: target.path,
      query: target.query,
      via,
    };
  }

  #match(request: IncomingMessage, { path }: Target): RouteMatch | null {
    const name = hostName(request.headers.host ?? "");
    if (name.endsWith(functionDomain)) return null;
    const match = this.#table.match(name, path);
    if (match === null || !isReservedPath(path)) return match;
    const isOwn = isOwnName(name, request.socket.localAddress ?? "", this.#parts.hostNames);
    return match.route.pattern.host === "" || isOwn ? null : match;
  }

  /** The table is that of the store again, whatever else was changed meanwhile. */
  async #changed<value>(id: string, change: () => Promise<value>): Promise<value> {
    const value = await change();
    const before = this.#known.get(id);
    const after = this.#parts.store.get(id);
    if (before !== undefined) this.#table.remove(before);
    this.#known.delete(id);
    if (after !== null) {
      this.#table.add(after);
      this.#known.set(id, after);
    }
    return value;
  }
}

type FixedAnswer = { readonly status: number; readonly headers: readonly string[]; readonly body: string };

function fixedAnswer({ redirect, response, cors }: RouteSettings, { headers }: IncomingMessage): FixedAnswer {
  const shared = cors === undefined ? [] : corsHeaders(cors, headers);
  if (redirect !== undefined) {
    return { status: redirect.status, headers: ["location", redirect.to, ...shared], body: "" };
  }
  const { status = 200, headers: own = {}, body = "" } = response ?? {};
  return { status, headers: [...Object.entries(own).flat(), ...shared], body };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: FixedAnswer,
): void {
  const sent = [...headers, "x-mayfly-request-id", randomUUID()];
  const isEmpty = status === 204 || status === 304;
  if (!isEmpty) sent.push("content-length", String(status === 205 ? 0 : Buffer.byteLength(body)));
  response.writeHead(status, sent);
  if (!isEmpty && status !== 205 && request.method !== "HEAD" && body !== "") response.write(body);
  endUnread(request, response);
}
