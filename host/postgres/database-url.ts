// Where a database is and how it is entered, from its URL. The URL is a secret: nothing here repeats any of it
// but host, port and name. It is read here and not by the client, whose URLs can name files to be read.

import { isIP } from "node:net";
import { HostError } from "../errors.ts";

/** off: no TLS · encrypted: TLS, whoever answers · verified: TLS with a certificate for the host */
export type Tls = "off" | "encrypted" | "verified";

export type DatabaseUrl = {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  /** Empty where there is none. */
  readonly password: string;
  readonly tls: Tls;
};

const example = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";
const tlsOf: ReadonlyMap<string, Tls> = new Map([
  ["disable", "off"],
  ["require", "encrypted"],
  ["verify-full", "verified"],
]);

/** Throws `invalid_trigger`, which tells nothing of the text. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(`is no URL, want ${example}`);
  }
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
    throw invalid(`is of another scheme, want ${example}`);
  }
  const host = url.hostname.replace(/^\[(.+)\]$/, "$1");
  const name = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  for (const [part, value] of Object.entries({ host, "database name": name, user })) {
    if (value === "") throw invalid(`has no ${part}, want ${example}`);
  }
  const password = decoded(url.password);
  for (const value of [host, name, user, password]) {
    if (value.includes("\0")) throw invalid("holds a NUL, which no part of it can");
  }
  for (const parameter of url.searchParams.keys()) {
    if (parameter !== "sslmode") throw invalid("has a parameter that is not known, sslmode is");
  }
  const asked = url.searchParams.getAll("sslmode");
  const tls = asked.length === 0 ? standardTls(host) : tlsOf.get(asked[0] ?? "");
  if (tls === undefined || asked.length > 1) {
    throw invalid("has an sslmode that is not known, want disable, require or verify-full");
  }
  return { host, port: url.port === "" ? 5432 : Number(url.port), name, user, password, tls };
}

/** What may be shown of it. */
export function describeDatabase({ host, port, name }: DatabaseUrl): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}/${name}`;
}

/** A password goes in clear over no network unless that is asked for. */
function standardTls(host: string): Tls {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host) ? "off" : "verified";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("is not percent-encoded as it should be");
  }
}

function invalid(reason: string): HostError {
  return new HostError("invalid_trigger", `The trigger is not valid: its url ${reason}`);
}
