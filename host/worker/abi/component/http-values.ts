// The types of wasi:http/types 0.2 that are values: methods, schemes, and what may go wrong.

import { option, record, variant } from "./compound-types.ts";
import { string, u8, u16, u32, u64, type ValueOf } from "./value-types.ts";

export const method = variant({
  get: null,
  head: null,
  post: null,
  put: null,
  delete: null,
  connect: null,
  options: null,
  trace: null,
  patch: null,
  other: string,
});
export type Method = ValueOf<typeof method>;

const methodNames = new Set(["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"]);

/** Methods are told apart by case (RFC 9110, section 9.1): only those in capitals are the known ones. */
export function methodOf(name: string): Method {
  const tag = name.toLowerCase();
  if (name !== tag && name === tag.toUpperCase() && methodNames.has(tag)) return { tag } as Method;
  return { tag: "other", value: name };
}

export function methodName(value: Method): string {
  return value.tag === "other" ? value.value : value.tag.toUpperCase();
}

export const scheme = variant({ HTTP: null, HTTPS: null, other: string });
export type Scheme = ValueOf<typeof scheme>;

export function schemeOf(name: string): Scheme {
  if (name === "http") return { tag: "HTTP" };
  return name === "https" ? { tag: "HTTPS" } : { tag: "other", value: name };
}

export function schemeName(value: Scheme): string {
  return value.tag === "other" ? value.value : value.tag.toLowerCase();
}

const fieldSize = record({ "field-name": option(string), "field-size": option(u32) });

export const errorCode = variant({
  "DNS-timeout": null,
  "DNS-error": record({ rcode: option(string), "info-code": option(u16) }),
  "destination-not-found": null,
  "destination-unavailable": null,
  "destination-IP-prohibited": null,
  "destination-IP-unroutable": null,
  "connection-refused": null,
  "connection-terminated": null,
  "connection-timeout": null,
  "connection-read-timeout": null,
  "connection-write-timeout": null,
  "connection-limit-reached": null,
  "TLS-protocol-error": null,
  "TLS-certificate-error": null,
  "TLS-alert-received": record({ "alert-id": option(u8), "alert-message": option(string) }),
  "HTTP-request-denied": null,
  "HTTP-request-length-required": null,
  "HTTP-request-body-size": option(u64),
  "HTTP-request-method-invalid": null,
  "HTTP-request-URI-invalid": null,
  "HTTP-request-URI-too-long": null,
  "HTTP-request-header-section-size": option(u32),
  "HTTP-request-header-size": option(fieldSize),
  "HTTP-request-trailer-section-size": option(u32),
  "HTTP-request-trailer-size": fieldSize,
  "HTTP-response-incomplete": null,
  "HTTP-response-header-section-size": option(u32),
  "HTTP-response-header-size": fieldSize,
  "HTTP-response-body-size": option(u64),
  "HTTP-response-trailer-section-size": option(u32),
  "HTTP-response-trailer-size": fieldSize,
  "HTTP-response-transfer-coding": option(string),
  "HTTP-response-content-coding": option(string),
  "HTTP-response-timeout": null,
  "HTTP-upgrade-failed": null,
  "HTTP-protocol-error": null,
  "loop-detected": null,
  "configuration-error": null,
  "internal-error": option(string),
});
export type ErrorCode = ValueOf<typeof errorCode>;

/** What a guest is told of a fetch that failed, by the words of docs/abi.md. */
export function errorCodeOf(reason: string): ErrorCode {
  switch (reason.split(":", 1)[0]) {
    case "invalid_request":
      return { tag: "HTTP-request-URI-invalid" };
    case "host_not_allowed":
      return { tag: "HTTP-request-denied" };
    case "too_deep":
      return { tag: "loop-detected" };
    case "unreachable":
      return { tag: "destination-unavailable" };
    case "timeout":
      return { tag: "connection-read-timeout" };
    case "answer_too_large":
      return { tag: "HTTP-response-body-size", value: undefined };
    case "overloaded":
      return { tag: "connection-limit-reached" };
    default:
      return { tag: "internal-error", value: reason };
  }
}
