// Where an answer sends the client on, as the Fetch standard has it (HTTP-redirect fetch): a pure function.

/** A request of which the answer may be a redirect; header names and values are pairs. */
export type Redirectable = {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};

export type Next = Omit<Redirectable, "url"> & { readonly url: string };

const redirects = new Set([301, 302, 303, 307, 308]);
/** Meant for the first origin alone. */
const credentials = new Set(["authorization", "cookie", "proxy-authorization"]);
/** Fields that describe a body (Fetch standard, request-body-header name). */
const describesBody = /^content-(encoding|language|location|type|length)$/i;
const noBody = new Uint8Array(0);

/** The next request, or null when the answer is none that leads on. The URL is not checked. */
export function nextHop(
  { url, method, headers, body }: Redirectable,
  answer: { readonly status: number; readonly headers: readonly string[] },
): Next | null {
  if (!redirects.has(answer.status)) return null;
  const at = answer.headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "location");
  const target = at === -1 ? null : URL.parse(answer.headers[at + 1] ?? "", url);
  if (target === null) return null;
  const sameOrigin = target.origin === url.origin;
  const kept = headers.filter(([name]) => sameOrigin || !credentials.has(name.toLowerCase()));
  const becomesGet =
    (answer.status === 303 && method !== "GET" && method !== "HEAD") ||
    (answer.status <= 302 && method === "POST");
  if (!becomesGet) return { url: target.href, method, headers: kept, body };
  return {
    url: target.href,
    method: "GET",
    headers: kept.filter(([name]) => !describesBody.test(name)),
    body: noBody,
  };
}
