// What is read as an event, what is refused, and that a delivery says what was published.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { deliveryHeaders, madeEvent, readEvents } from "../../host/events/cloud-events.ts";
import { limits } from "../../host/limits.ts";

const depth = 1;
const structuredType = "application/cloudevents+json";
const batchType = "application/cloudevents-batch+json";
const least = { specversion: "1.0", id: "1", source: "/x", type: "t" };

const read = (contentType: string, body: unknown, headers: Record<string, string> = {}) =>
  readEvents({
    contentType,
    headers: new Map(Object.entries(headers)),
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    depth,
  });
const binary = (headers: Record<string, string>, body = "", contentType = "") =>
  read(
    contentType,
    body,
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [`ce-${name}`, value])),
  );
const refused = (act: () => unknown, pattern: RegExp, code = "invalid_event") =>
  assert.throws(
    act,
    (error) => error instanceof HostError && error.code === code && pattern.test(error.message),
  );

test("binary mode: attributes are headers, the body is the data", () => {
  const [event] = binary(
    { ...least, subject: "caf%C3%A9 %22%25%22", partitionkey: "7" },
    "data",
    "text/plain",
  );
  assert.deepEqual(event?.attributes, {
    id: "1",
    source: "/x",
    type: "t",
    subject: 'café "%"',
    partitionkey: "7",
    datacontenttype: "text/plain",
  });
  assert.equal(Buffer.from(event?.data ?? []).toString(), "data");
});

test("structured mode: data is JSON, text or base64, as its type says", () => {
  const dataOf = (event: object): string =>
    Buffer.from(read(structuredType, { ...least, ...event })[0]?.data ?? []).toString();
  assert.equal(dataOf({ data: { a: [1, "ü"] } }), '{"a":[1,"ü"]}');
  assert.equal(dataOf({ data: "text" }), '"text"');
  assert.equal(dataOf({ data: "text", datacontenttype: "text/plain" }), "text");
  assert.equal(dataOf({ data: null }), "null");
  assert.equal(dataOf({ data_base64: "aGk=" }), "hi");
  assert.equal(dataOf({}), "");
  assert.equal(
    read(`${structuredType}; charset=utf-8`, { ...least, data: 1 })[0]?.attributes["datacontenttype"],
    "application/json",
  );
  assert.equal(
    read(structuredType, { ...least, count: 7, flag: true, none: null })[0]?.attributes["count"],
    "7",
  );
});

test("a batch is read whole, or refused whole", () => {
  assert.deepEqual(
    read(batchType, [least, { ...least, id: "2" }]).map(({ attributes }) => attributes["id"]),
    ["1", "2"],
  );
  assert.deepEqual(read(batchType, []), []);
  refused(() => read(batchType, [least, { ...least, id: "" }]), /^Event 2 of the batch: .* id is missing$/);
  refused(() => read(batchType, least), /a batch is a JSON array/);
  refused(
    () =>
      read(
        batchType,
        Array.from({ length: limits.eventsPerBatchMax + 1 }, () => least),
      ),
    /limit is/,
  );
});

test("what is no event is refused and says why", () => {
  refused(() => read("application/json", { a: 1 }), /want the headers ce-specversion/);
  refused(() => read(structuredType, "{"), /not JSON/);
  refused(() => read(structuredType, "7"), /JSON object/);
  refused(() => read(structuredType, [least]), /JSON object/);
  refused(() => read(structuredType, { ...least, specversion: "0.3" }), /specversion is "0.3"/);
  for (const missing of ["specversion", "id", "source", "type"]) {
    refused(() => read(structuredType, { ...least, [missing]: undefined }), new RegExp(missing));
  }
  refused(() => read(structuredType, { ...least, time: "yesterday" }), /time/);
  refused(() => read(structuredType, { ...least, Upper: "x" }), /[Uu]pper/);
  refused(() => read(structuredType, { ...least, nested: {} }), /nested/);
  refused(() => read(structuredType, { ...least, data: 1, data_base64: "" }), /exclude/);
  for (const base64 of ["%", "a", "aGk", "a===", 7]) {
    refused(() => read(structuredType, { ...least, data_base64: base64 }), /base64/);
  }
  refused(() => read(structuredType, { ...least, part: 1.5 }), /part.* whole number/);
  refused(
    () => read(structuredType, `{"specversion":"1.0","id":"1","source":"/","type":"t","n":1e400}`),
    /whole/,
  );
  for (const name of ["data", "data_base64"])
    refused(() => binary({ ...least, [name]: "x" }), new RegExp(name));
  refused(() => read(structuredType, { ...least, subject: "a\nb" }), /subject holds a character/);
  refused(() => binary({ ...least, subject: "%0A" }), /subject holds a character/);
  refused(() => binary(least, "x".repeat(limits.eventBytesMax)), /limit is/, "event_too_large");
});

test("the headers of a delivery are read as the event that was published", () => {
  const attributes = {
    type: "t",
    subject: 'ü "quoted" 100% 😀',
    datacontenttype: "application/json; charset=utf-8",
    traceparent: "00-ab",
  };
  const event = madeEvent(attributes, Buffer.from("{}"), { source: "/functions/f", depth: 3 });
  const headers = deliveryHeaders(event);
  const pairs = headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name, headers[index + 1] ?? ""] as const] : [],
  );
  for (const [name, value] of pairs) assert.match(value, /^[\x20-\x7e]*$/, name);
  const [again] = readEvents({
    contentType: attributes.datacontenttype,
    headers: new Map(pairs),
    body: event.data,
    depth: 3,
  });
  assert.deepEqual(again?.attributes, event.attributes);
  assert.equal(event.attributes["source"], "/functions/f");
  assert.match(event.attributes["id"] ?? "", /^[0-9a-f-]{36}$/);
});
