// The meta-variables of a request (RFC 3875, section 4.1) beside the function's own variables. A value is bytes:
// what a client sent is not turned into something else on its way.

import { decodeRequest, headEnd, type RequestHead } from "../../../messages.ts";

/** Not `Proxy`, which would become HTTP_PROXY, by which many programs are led. */
const withheld = new Set(["content-length", "content-type", "proxy", "transfer-encoding", "connection"]);
/** Other names could be taken for those that they are like: X_Y for X-Y. */
const plainName = /^[a-z0-9-]+$/;

/**
 * `NAME=value`, each once. Values are byte strings until they are bytes. `bodyComes`: the body is not in the
 * message, and how long it is only its sender knows.
 */
export function environmentOf(
  request: Uint8Array,
  env: ReadonlyMap<string, string>,
  bodyComes: boolean,
): Uint8Array[] {
  const head = request.byteLength === 0 ? null : decodeRequest(request);
  const variables = new Map<string, string>();
  if (head !== null) addHeaders(variables, head.headers);
  for (const [name, value] of env) variables.set(name, Buffer.from(value).toString("latin1"));
  if (head !== null) addMeta(variables, head, bodyComes ? null : request.byteLength - headEnd(request));
  const bytes: Uint8Array[] = [];
  for (const [name, value] of variables) {
    if (!value.includes("\0")) bytes.push(Buffer.from(`${name}=${value}`, "latin1"));
  }
  return bytes;
}

/** HTTP_*: fields of the same name are joined (RFC 9110, section 5.3). */
function addHeaders(variables: Map<string, string>, headers: readonly string[]): void {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [field = "", value = ""] = [headers[index], headers[index + 1]];
    if (withheld.has(field) || !plainName.test(field)) continue;
    const name = `HTTP_${field.toUpperCase().replaceAll("-", "_")}`;
    const before = variables.get(name);
    const joint = field === "cookie" ? "; " : ", ";
    variables.set(name, before === undefined ? value : `${before}${joint}${value}`);
  }
}

function addMeta(variables: Map<string, string>, head: RequestHead, bodyBytes: number | null): void {
  const { method, url, path, query, remoteAddress, headers } = head;
  const { name, port, target } = authorityOf(url);
  const end = target.indexOf("?");
  const targetPath = end === -1 ? target : target.slice(0, end);
  variables.set("GATEWAY_INTERFACE", "CGI/1.1");
  variables.set("QUERY_STRING", query);
  variables.set("REMOTE_ADDR", remoteAddress);
  variables.set("REMOTE_HOST", remoteAddress);
  variables.set("REQUEST_METHOD", method);
  variables.set("REQUEST_URI", target);
  variables.set("SCRIPT_NAME", targetPath.endsWith(path) ? targetPath.slice(0, -path.length) : targetPath);
  variables.set("SERVER_NAME", name);
  variables.set("SERVER_PORT", port);
  variables.set("SERVER_PROTOCOL", "HTTP/1.1");
  variables.set("SERVER_SOFTWARE", "Mayfly");
  variables.set("PATH_INFO", percentDecoded(path));
  const type = fieldOf(headers, "content-type");
  if (type !== null) variables.set("CONTENT_TYPE", type);
  const length = contentLength(headers, bodyBytes);
  if (length !== null) variables.set("CONTENT_LENGTH", length);
}

/** Null without a body, and of one that comes in chunks: nobody knows its length before its end. */
function contentLength(headers: readonly string[], bodyBytes: number | null): string | null {
  const announced = fieldOf(headers, "content-length");
  if (bodyBytes === null) return announced;
  return bodyBytes > 0 || announced !== null ? String(bodyBytes) : null;
}

/** The value of the first field of a name. */
function fieldOf(headers: readonly string[], name: string): string | null {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1] ?? "";
  }
  return null;
}

/** Host, port and what follows them of an absolute URL, as it was sent. */
function authorityOf(url: string): { name: string; port: string; target: string } {
  const match = /^[a-z]+:\/\/(\[[^\]]*\]|[^/:?]*)(?::(\d+))?(.*)$/s.exec(url);
  return { name: match?.[1] ?? "", port: match?.[2] ?? "80", target: match?.[3] ?? "" };
}

/** The bytes that a path stands for; one that stands for a NUL, which no variable can hold, stays as it is. */
function percentDecoded(path: string): string {
  if (!path.includes("%")) return path;
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return decoded.includes("\0") ? path : decoded;
}
