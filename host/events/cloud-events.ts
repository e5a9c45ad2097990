// CloudEvents 1.0 over HTTP: reads what is published, in binary, structured or batched mode, and writes
// what is delivered, in binary mode (HTTP protocol binding, sections 3.1 to 3.3).

import { randomUUID } from "node:crypto";
import { CloudEvent } from "cloudevents";
import { HostError } from "../errors.ts";
import type { HostEvent } from "../event.ts";
import { limits } from "../limits.ts";
import type { Trace } from "../trace-context.ts";

const structuredType = "application/cloudevents+json";
const batchType = "application/cloudevents-batch+json";

export type SentEvents = {
  readonly contentType: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly depth: number;
};

/** Throws `invalid_event` that says what is wrong, or `event_too_large`. */
export function readEvents({ contentType, headers, body, depth }: SentEvents): HostEvent[] {
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  if (type === batchType) {
    const batch = parseJson(body);
    if (!Array.isArray(batch)) throw invalid("a batch is a JSON array of events");
    if (batch.length > limits.eventsPerBatchMax) {
      throw invalid(`the batch has ${batch.length} events, limit is ${limits.eventsPerBatchMax}`);
    }
    return batch.map((value, index) => ofBatch(index, () => structured(value, depth)));
  }
  if (type === structuredType) return [structured(parseJson(body), depth)];
  if (!headers.has("ce-specversion")) {
    throw invalid(
      `want the headers ce-specversion, ce-id, ce-source and ce-type beside the data, or ${structuredType}`,
    );
  }
  const attributes: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name.startsWith("ce-")) attributes[name.slice(3)] = decodeHeader(value);
  }
  if (contentType !== "") attributes["datacontenttype"] = contentType;
  return [checkedEvent(attributes, body, depth)];
}

/** An event of attributes that somebody gives; fills in what the host knows as well. */
export function madeEvent(
  attributes: Readonly<Record<string, string>>,
  data: Uint8Array,
  { source, depth }: { readonly source: string; readonly depth: number },
): HostEvent {
  const time = new Date().toISOString();
  return checkedEvent({ specversion: "1.0", id: randomUUID(), source, time, ...attributes }, data, depth);
}

/** With the trace that led to the event (the extension for distributed tracing); what it says itself stays. */
export function withTrace(
  attributes: Readonly<Record<string, string>>,
  trace: Trace | null,
): Readonly<Record<string, string>> {
  if (trace === null || attributes["traceparent"] !== undefined) return attributes;
  const { traceparent, tracestate } = trace;
  return { ...attributes, traceparent, ...(tracestate !== "" && { tracestate }) };
}

/** Header names and values, alternating, for a delivery; the data is the body. */
export function deliveryHeaders({ attributes, data }: HostEvent): string[] {
  const headers = ["ce-specversion", "1.0"];
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "datacontenttype") headers.push("content-type", value);
    else headers.push(`ce-${name}`, encodeHeader(value));
  }
  headers.push("content-length", String(data.byteLength));
  return headers;
}

/** Says which one it is that cannot be taken. */
function ofBatch(index: number, read: () => HostEvent): HostEvent {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new HostError(error.code, `Event ${index + 1} of the batch: ${error.message}`, { cause: error });
  }
}

function structured(value: unknown, depth: number): HostEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("an event is a JSON object");
  }
  const { data, data_base64: base64, ...rest } = value as Record<string, unknown>;
  if (data !== undefined && base64 !== undefined) throw invalid("data and data_base64 exclude each other");
  const attributes: Record<string, string> = {};
  for (const [name, attribute] of Object.entries(rest)) {
    if (attribute === null) continue;
    if (!["string", "boolean"].includes(typeof attribute) && !Number.isSafeInteger(attribute)) {
      const shown = JSON.stringify(name.slice(0, 40));
      throw invalid(`the attribute ${shown} is no text, whole number or truth value`);
    }
    attributes[name] = String(attribute);
  }
  return checkedEvent(attributes, dataBytes(data, base64, attributes), depth);
}

/** JSON format, section 3.1: text of a JSON type is JSON, base64 is bytes. */
function dataBytes(data: unknown, base64: unknown, attributes: Record<string, string>): Uint8Array {
  if (base64 !== undefined) {
    // RFC 4648, section 4: in fours, the last of which may be filled up.
    if (typeof base64 !== "string" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
      throw invalid("data_base64 is not base64");
    }
    return Buffer.from(base64, "base64");
  }
  if (data === undefined) return new Uint8Array(0);
  const type = attributes["datacontenttype"];
  const isJson = type === undefined || /^[^;]*[/+]json\s*(;|$)/i.test(type);
  if (isJson) attributes["datacontenttype"] ??= "application/json";
  return Buffer.from(isJson || typeof data !== "string" ? JSON.stringify(data) : data);
}

function checkedEvent(
  { specversion, ...attributes }: Record<string, string>,
  data: Uint8Array,
  depth: number,
): HostEvent {
  const bytes = Object.entries(attributes).reduce((sum, [name, value]) => {
    return sum + name.length + Buffer.byteLength(value);
  }, data.byteLength);
  if (bytes > limits.eventBytesMax) {
    throw new HostError("event_too_large", `The event has ${bytes} bytes, limit is ${limits.eventBytesMax}`);
  }
  if (specversion !== "1.0") throw invalid(`specversion is ${JSON.stringify(specversion ?? "")}, want "1.0"`);
  for (const name of ["id", "source", "type"]) {
    // The package makes an id up where there is none.
    if (!attributes[name]) throw invalid(`the attribute ${name} is missing`);
  }
  // Names of the JSON format for what is no attribute (section 3.1 of the specification).
  for (const name of ["data", "data_base64"]) {
    if (name in attributes) throw invalid(`an attribute may not be called ${name}`);
  }
  try {
    new CloudEvent({ specversion, ...attributes }, true);
  } catch (error) {
    throw invalid(reasonOf(error), error);
  }
  for (const [name, value] of Object.entries(attributes)) {
    // Section 3.1 of the specification: what no text may hold. A header could not carry it either.
    if (!value.isWellFormed() || /\p{Cc}/u.test(value)) {
      throw invalid(`the attribute ${name} holds a character that none may`);
    }
  }
  return { attributes, data, depth };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw invalid("the body is not JSON in UTF-8", error);
  }
}

/** A sentence of the package's errors, which list what their schema found. */
function reasonOf(error: unknown): string {
  const { message, errors } = error as { message: string; errors?: unknown };
  if (!Array.isArray(errors) || errors.length === 0) return message.split("\n")[0] ?? message;
  return errors
    .map((fault: { instancePath?: string; message?: string }) =>
      `${fault.instancePath ?? ""} ${fault.message ?? ""}`.trim(),
    )
    .join(", ");
}

function invalid(reason: string, cause?: unknown): HostError {
  return new HostError("invalid_event", `Cannot take the event: ${reason}`, { cause });
}

/** Section 3.1.3.2: bytes of UTF-8, what is not visible ASCII, quotes and percent signs as `%XX`. */
function encodeHeader(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/g, (run) =>
    Buffer.from(run).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
}

function decodeHeader(value: string): string {
  const unquoted = /^"(.*)"$/.exec(value)?.[1]?.replace(/\\(.)/g, "$1") ?? value;
  const bytes = unquoted.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}
