// The nouns of routes: which requests one takes, and what it makes of them. No I/O.

import { z } from "zod";
import { aliasName } from "./alias.ts";
import { HostError } from "./errors.ts";
import { isFunctionName } from "./function.ts";
import { limits } from "./limits.ts";
import { defaultNamespace, qualifiedName } from "./namespace.ts";

/** A pattern as it is matched: a host, or any, and the segments of a path. */
export type RoutePattern = {
  /** In lower case; `*.` before it stands for one label or more, "" for any host. */
  readonly host: string;
  readonly segments: readonly Segment[];
};

export type Segment =
  | { readonly kind: "text"; readonly text: string }
  /** Any one segment that is not empty. */
  | { readonly kind: "param"; readonly name: string }
  /** All that is left, an empty rest too; the last one. */
  | { readonly kind: "rest" };

const token = z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/, "want a token");
/** Visible ASCII and spaces, so that a header may have it. */
const fieldValue = z
  .string()
  .max(4_096)
  .regex(/^[\x21-\x7e]?(?:[\x20-\x7e]*[\x21-\x7e])?$/, "want visible ASCII characters");

const origin = z
  .string()
  .refine(
    (text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text),
    "want * or an origin such as https://app.example",
  );

const cors = z
  .strictObject({
    origins: z.array(origin).min(1).max(100),
    methods: z
      .array(token.transform((method) => method.toUpperCase()))
      .max(20)
      .default(["GET", "HEAD", "POST"]),
    headers: z
      .array(token.transform((name) => name.toLowerCase()))
      .max(100)
      .default([]),
    exposeHeaders: z
      .array(token.transform((name) => name.toLowerCase()))
      .max(100)
      .default([]),
    credentials: z.boolean().default(false),
    maxAgeSeconds: z.int().min(0).max(86_400).default(600),
  })
  .refine(
    ({ origins, credentials }) => !credentials || !origins.includes("*"),
    "credentials are for origins that are named, not for *",
  );

/** What the host writes itself, or what concerns one hop only. */
const ownHeaders =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|date|server-timing|x-mayfly-.*)$/i;

const redirect = z.strictObject({
  to: fieldValue
    .max(2_048)
    .refine((text) => /^(https?:\/\/[^/]|\/(?![/\\]))/i.test(text) && URL.canParse(text, "http://a"), {
      error: "want a URL, or a path that begins with one slash",
    }),
  status: z.literal([301, 302, 303, 307, 308]).default(308),
});

const response = z.strictObject({
  status: z.int().min(200).max(599).default(200),
  headers: z
    .record(token, fieldValue)
    .refine((headers) => Object.keys(headers).length <= limits.responseHeadersMax, "too many headers")
    .refine((headers) => !Object.keys(headers).some((name) => ownHeaders.test(name)), {
      error: "want no header that the host writes itself",
    })
    .default({}),
  body: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= limits.routeBodyBytesMax, {
      error: `want at most ${limits.routeBodyBytesMax} bytes`,
    })
    .default(""),
});

/** What a route is set to. */
export const routeSettingsSchema = z
  .strictObject({
    pattern: z.string().min(1).max(limits.routePatternBytesMax),
    function: z.string().refine(isFunctionName, "want the name of a function").optional(),
    /** That the function is in; `default` unless given. */
    namespace: z.string().refine(isFunctionName, "want the name of a namespace").optional(),
    /** A version or an alias of the function. */
    pin: z.string().refine(isPin, "want a version's number or an alias").optional(),
    redirect: redirect.optional(),
    response: response.optional(),
    cors: cors.optional(),
    cache: z.boolean().default(false),
  })
  .refine(
    (route) =>
      [route.function, route.redirect, route.response].filter((each) => each !== undefined).length === 1,
    "want one of function, redirect and response",
  )
  .refine(({ function: name, pin, namespace, cache }) => name !== undefined || !(pin ?? namespace ?? cache), {
    error: "pin, namespace and cache are of routes to a function",
  });

/** The function of a route, as it is kept; null for a fixed answer. */
export function routedFunction({ function: name, namespace }: RouteSettings): string | null {
  return name === undefined ? null : qualifiedName(name, namespace ?? defaultNamespace);
}

export type RouteSettings = z.infer<typeof routeSettingsSchema>;
export type Cors = z.infer<typeof cors>;

export type Route = {
  readonly id: string;
  readonly pattern: RoutePattern;
  readonly settings: RouteSettings;
  readonly changedAtMs: number;
};

/** Reads a route from parsed JSON; throws `invalid_route` with every fault, or `route_reserved`. */
export function parseRoute(value: unknown, isOwnHost: (host: string) => boolean): RouteSettings {
  const result = routeSettingsSchema.safeParse(value);
  if (!result.success) throw invalid(z.prettifyError(result.error).replaceAll("\n", " "));
  const settings = result.data;
  assertFree(parsePattern(settings.pattern), settings.pattern, isOwnHost);
  return settings;
}

/** `api.example.com/users/:id`, `*.example.com/*`, `/static/*`. */
export function parsePattern(text: string): RoutePattern {
  const slash = text.indexOf("/");
  if (slash === -1)
    throw invalid(`the pattern ${shown(text)} has no path, want such as ${shown(`${text}/*`)}`);
  return { host: hostOf(text.slice(0, slash)), segments: segmentsOf(text.slice(slash + 1)) };
}

/** What two patterns have in common that take the same requests. */
export function shapeOf({ host, segments }: RoutePattern): string {
  // Neither ":" nor "*" alone is a segment of text.
  const path = segments.map((each) => (each.kind === "text" ? each.text : each.kind === "param" ? ":" : "*"));
  return `${host}/${path.join("/")}`;
}

/** First segments of paths that the control plane and the functions have on the host's own names. */
const reserved = new Set(["v1", "fn", "healthz", "readyz", "metrics", "openapi.json"]);

/** Whether a path is the host's own, on its own names. */
export function isReservedPath(path: string): boolean {
  const end = path.indexOf("/", 1);
  return reserved.has(path.slice(1, end === -1 ? path.length : end));
}

function assertFree(
  { host, segments }: RoutePattern,
  text: string,
  isOwnHost: (host: string) => boolean,
): void {
  const [first] = segments;
  const bare = host.replace(/^\*\./, "");
  if (bare.endsWith(".localhost") || (bare === "localhost" && bare !== host)) {
    throw taken(text, "NAME.localhost is the function of that name");
  }
  if (host !== "" && !isOwnHost(host)) return;
  if (first?.kind === "text" && reserved.has(first.text)) {
    throw taken(
      text,
      `/${first.text} is the host's own; choose another path, or a host name of the route's own`,
    );
  }
}

function taken(text: string, reason: string): HostError {
  return new HostError("route_reserved", `Cannot route ${shown(text)}: ${reason}`);
}

function hostOf(text: string): string {
  if (text === "") return "";
  const name = text.startsWith("*.") ? text.slice(2) : text;
  const labels = name.split(".");
  const isName =
    name.length <= 253 && labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  if (!isName || /^\d+$/.test(labels.at(-1) ?? "")) {
    throw invalid(
      `${shown(text)} is no host name, want such as api.example.com or *.example.com, in lower case, without a port`,
    );
  }
  return text;
}

function segmentsOf(path: string): Segment[] {
  const texts = path.split("/");
  if (texts.length > limits.routeSegmentsMax) {
    throw invalid(`the path has ${texts.length} segments, limit is ${limits.routeSegmentsMax}`);
  }
  const names = new Set<string>();
  return texts.map((text, index): Segment => {
    if (text === "*") {
      if (index === texts.length - 1) return { kind: "rest" };
      throw invalid("* stands for all that is left, so it is the last segment");
    }
    if (!text.startsWith(":")) return { kind: "text", text: plainText(text) };
    const name = text.slice(1);
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) {
      throw invalid(`${shown(text)} is no parameter, want such as :id, for a whole segment`);
    }
    if (names.has(name)) throw invalid(`the parameter :${name} is there twice`);
    names.add(name);
    return { kind: "param", name };
  });
}

/** As it is sent (RFC 3986, section 3.3): requests are matched so, and nothing is decoded. */
function plainText(text: string): string {
  if (/^(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-F]{2})*$/.test(text) && text !== "." && text !== "..")
    return text;
  throw invalid(
    `${shown(text)} is no segment of a path as it is sent: want letters, digits and -._~!$&'()+,;=:@, the rest as %XX in capitals, * alone`,
  );
}

function isPin(text: string): boolean {
  if (/^[1-9]\d{0,8}$/.test(text)) return true;
  try {
    return aliasName(text) === text;
  } catch {
    return false;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}

function invalid(reason: string): HostError {
  return new HostError("invalid_route", `Cannot set the route: ${reason}`);
}
