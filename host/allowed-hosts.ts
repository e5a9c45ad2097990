// Which hosts a function may ask, from the patterns of its configuration: pure functions of text.
//
//   example.com        that name              *               any name or address that is public
//   *.example.com      every name below it    10.1.2.3, ::1   that address, private ones too
//   NAME:8080, *:443   on that port alone     10.0.0.0/8      every address of the range
//
// Addresses that are not public (private, loopback, link-local, reserved) have to be listed as an
// address or a range, also where a listed name leads to them.

import { BlockList, isIP, isIPv6 } from "node:net";

type Entry = {
  /** Null for any name; a name with a leading dot stands for those below it. */
  readonly name: string | null;
  readonly range: BlockList | null;
  /** Null for any port. */
  readonly port: number | null;
};

/** A host as URLs have it: lower case, no brackets, no dot at its end. */
export function plainHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

/** Reads one pattern; null when it is none. */
function parse(pattern: string): Entry | null {
  const parts =
    /^(?<host>\[[0-9A-Fa-f:.]+\]|[^:/[\]]+|[0-9A-Fa-f:]+:[0-9A-Fa-f:.]*)(?:\/(?<prefix>\d{1,3}))?(?::(?<port>\d{1,5}))?$/.exec(
      pattern,
    )?.groups;
  if (parts?.["host"] === undefined) return null;
  const port = parts["port"] === undefined ? null : Number(parts["port"]);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  const prefix = parts["prefix"] === undefined ? null : Number(parts["prefix"]);
  if (parts["host"] === "*") return prefix === null ? { name: null, range: null, port } : null;
  const below = parts["host"].startsWith("*.");
  const name = normalHost(below ? parts["host"].slice(2) : parts["host"]);
  if (name === null) return null;
  if (isIP(name) === 0) {
    return prefix === null ? { name: below ? `.${name}` : name, range: null, port } : null;
  }
  const bits = isIPv6(name) ? 128 : 32;
  if (below || (prefix !== null && prefix > bits)) return null;
  const range = new BlockList();
  range.addSubnet(name, prefix ?? bits, family(name));
  return { name, range, port };
}

/** As the URL parser writes it, so that every spelling of an address or a name is the same. */
function normalHost(host: string): string | null {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (/[*?#@\\]/.test(bare)) return null;
  const url = URL.parse(`http://${isIPv6(bare) ? `[${bare}]` : bare}/`);
  return url === null ? null : plainHost(url.hostname);
}

const family = (address: string): "ipv4" | "ipv6" => (isIPv6(address) ? "ipv6" : "ipv4");

/** Whether `text` is a pattern. */
export function isHostPattern(text: string): boolean {
  return parse(text) !== null;
}

export class AllowedHosts {
  readonly #entries: readonly Entry[];

  constructor(patterns: readonly string[]) {
    this.#entries = patterns.map(parse).filter((entry) => entry !== null);
  }

  /** Whether a URL with this host (`plainHost`) and port may be asked, as far as its name tells. */
  allows(host: string, port: number): boolean {
    return this.#entries.some((entry) => {
      if (entry.port !== null && entry.port !== port) return false;
      if (entry.range !== null) return isIP(host) !== 0 && entry.range.check(host, family(host));
      if (entry.name === null) return true;
      return entry.name.startsWith(".") ? host.endsWith(entry.name) : host === entry.name;
    });
  }

  /** Whether an address that is not public is listed as such, or is in a listed range. */
  lists(address: string, port: number): boolean {
    return this.#entries.some(
      (entry) =>
        (entry.port === null || entry.port === port) && entry.range?.check(address, family(address)) === true,
    );
  }
}
