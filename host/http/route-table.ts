// From a host name and a path to the most specific route that takes them. A tree of segments for each host:
// what a look-up costs depends on the segments of the path, not on how many routes there are. The path is
// taken as sent; nothing is decoded. Names before wildcards, longer wildcards before shorter, then any host;
// within a host text before a parameter, that before a rest, from the first segment on.

import type { Route } from "../route.ts";

export type RouteMatch = {
  readonly route: Route;
  /** The segments that parameters stand for, as sent, in the order of the pattern. */
  readonly values: readonly string[];
};

type Node = {
  readonly texts: Map<string, Node>;
  param: Node | null;
  /** Ends here. */
  here: Route | null;
  /** Whatever is left. */
  rest: Route | null;
};

const newNode = (): Node => ({ texts: new Map(), param: null, here: null, rest: null });

export class RouteTable {
  /** By host, wildcards by what is after the "*". */
  readonly #exact = new Map<string, Node>();
  readonly #wild = new Map<string, Node>();
  #any: Node | null = null;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Puts a route where another one of its shape may be. */
  add(route: Route): void {
    let node = this.#rootOf(route.pattern.host);
    for (const segment of route.pattern.segments) {
      if (segment.kind === "rest") {
        if (node.rest === null) this.#count += 1;
        node.rest = route;
        return;
      }
      if (segment.kind === "param") node.param ??= newNode();
      node = segment.kind === "text" ? childOf(node.texts, segment.text) : (node.param as Node);
    }
    if (node.here === null) this.#count += 1;
    node.here = route;
  }

  /** Lets a route go, and what of the tree only it had. */
  remove({ id, pattern: { host, segments } }: Route): void {
    const roots = host.startsWith("*") ? this.#wild : this.#exact;
    const key = host.startsWith("*") ? host.slice(1) : host;
    const root = host === "" ? this.#any : roots.get(key);
    if (root == null) return;
    const path = [root];
    for (const segment of segments) {
      const node = path.at(-1) as Node;
      if (segment.kind === "rest") break;
      const next = segment.kind === "text" ? node.texts.get(segment.text) : node.param;
      if (next == null) return;
      path.push(next);
    }
    const last = path.at(-1) as Node;
    const end = segments.at(-1)?.kind === "rest" ? "rest" : "here";
    // Another one may have its place by now.
    if (last[end]?.id !== id) return;
    last[end] = null;
    this.#count -= 1;
    for (let depth = path.length - 1; depth > 0 && isEmpty(path[depth] as Node); depth -= 1) {
      const parent = path[depth - 1] as Node;
      const segment = segments[depth - 1];
      if (segment?.kind === "text") parent.texts.delete(segment.text);
      else parent.param = null;
    }
    if (!isEmpty(root)) return;
    if (host === "") this.#any = null;
    else roots.delete(key);
  }

  /** The route for a request to a host name; null when none takes it. */
  match(host: string, path: string): RouteMatch | null {
    if (this.#count === 0) return null;
    const segments = path.slice(1).split("/");
    const exact = this.#exact.get(host);
    const found = exact === undefined ? null : matchIn(exact, segments);
    if (found !== null) return found;
    if (this.#wild.size > 0) {
      for (let dot = host.indexOf("."); dot !== -1; dot = host.indexOf(".", dot + 1)) {
        const wild = this.#wild.get(host.slice(dot));
        const under = wild === undefined ? null : matchIn(wild, segments);
        if (under !== null) return under;
      }
    }
    return this.#any === null ? null : matchIn(this.#any, segments);
  }

  #rootOf(host: string): Node {
    if (host === "") {
      this.#any ??= newNode();
      return this.#any;
    }
    return host.startsWith("*") ? childOf(this.#wild, host.slice(1)) : childOf(this.#exact, host);
  }
}

function isEmpty({ texts, param, here, rest }: Node): boolean {
  return texts.size === 0 && param === null && here === null && rest === null;
}

function childOf(nodes: Map<string, Node>, key: string): Node {
  let node = nodes.get(key);
  if (node === undefined) {
    node = newNode();
    nodes.set(key, node);
  }
  return node;
}

function matchIn(root: Node, segments: readonly string[]): RouteMatch | null {
  const values: string[] = [];
  const route = walk(root, segments, 0, values);
  return route === null ? null : { route, values };
}

/** The most specific first; where a branch comes to nothing, the next one. */
function walk(node: Node, segments: readonly string[], depth: number, values: string[]): Route | null {
  const segment = segments[depth];
  if (segment === undefined) return node.here;
  const text = node.texts.get(segment);
  if (text !== undefined) {
    const found = walk(text, segments, depth + 1, values);
    if (found !== null) return found;
  }
  if (node.param !== null && segment !== "") {
    values.push(segment);
    const found = walk(node.param, segments, depth + 1, values);
    if (found !== null) return found;
    values.pop();
  }
  return node.rest;
}
