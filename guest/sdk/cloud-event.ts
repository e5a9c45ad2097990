// Something that has happened, as CloudEvents 1.0 describes it: what starts a function by a trigger, and
// what a function publishes.

import { decodeUtf8, utf8Bytes } from "./utf8";

/**
 * An event. What it is about is in its attributes, what it carries in `data`.
 *
 * ```ts
 * const event = CloudEvent.json("shop.order.placed", order.toString());
 * event.subject = "order/7";
 * events.publish("orders", event);
 * ```
 */
export class CloudEvent {
  /**
   * Names it, with `source`, for ever: an event may be delivered more than once, always with the same one.
   * Empty when it is made; the host gives it one when it is published.
   *
   * ```ts
   * if (!kv.open("seen").compareAndSet(event.id, null, "", 86400)) return Response.text("seen before");
   * ```
   */
  id: string = "";

  /**
   * Where it comes from, a URI reference. Empty when it is made: then the host says which function.
   *
   * ```ts
   * log.info("from " + event.source);
   * ```
   */
  source: string = "";

  /**
   * What has happened, such as `com.example.order.placed`.
   *
   * ```ts
   * if (event.type === "shop.order.placed") return place(event);
   * ```
   */
  type: string;

  /**
   * What it happened to, or `null`.
   *
   * ```ts
   * event.subject = "order/7";
   * ```
   */
  subject: string | null = null;

  /**
   * When, as RFC 3339 has it, or `null`. The host says when it was published where this is not set.
   *
   * ```ts
   * event.time = "2026-11-24T08:00:00Z";
   * ```
   */
  time: string | null = null;

  /**
   * The media type of `data`, or `null`.
   *
   * ```ts
   * if (event.dataContentType === "application/json") return read(event.text());
   * ```
   */
  dataContentType: string | null = null;

  /**
   * A URI of the schema that `data` holds to, or `null`.
   *
   * ```ts
   * event.dataSchema = "https://example.com/schemas/order";
   * ```
   */
  dataSchema: string | null = null;

  /**
   * What it carries; empty unless given.
   *
   * ```ts
   * const image = event.data;
   * ```
   */
  data: Uint8Array;

  // Name, value, name, value …
  private extensions: string[] = [];

  /**
   * An event of a type.
   *
   * ```ts
   * const event = new CloudEvent("camera.picture.taken", pixels);
   * ```
   */
  constructor(type: string, data: Uint8Array | null = null) {
    this.type = type;
    this.data = data === null ? new Uint8Array(0) : data;
  }

  /**
   * An event that carries JSON.
   *
   * ```ts
   * const event = CloudEvent.json("shop.order.placed", '{"order":7}');
   * ```
   */
  static json(type: string, text: string): CloudEvent {
    const event = new CloudEvent(type, utf8Bytes(text));
    event.dataContentType = "application/json";
    return event;
  }

  /**
   * An event that carries text.
   *
   * ```ts
   * const event = CloudEvent.text("door.opened", "front door");
   * ```
   */
  static text(type: string, text: string): CloudEvent {
    const event = new CloudEvent(type, utf8Bytes(text));
    event.dataContentType = "text/plain; charset=utf-8";
    return event;
  }

  /**
   * What it carries, as text in UTF-8.
   *
   * ```ts
   * const order = JSON.parse(event.text());
   * ```
   */
  text(): string {
    return decodeUtf8(this.data.dataStart, this.data.length);
  }

  /**
   * An attribute beyond those that have a member here, or `null`.
   *
   * ```ts
   * const trace = event.extension("traceparent");
   * ```
   */
  extension(name: string): string | null {
    for (let i = 0; i < this.extensions.length; i += 2) {
      if (this.extensions[i] === name) return this.extensions[i + 1];
    }
    return null;
  }

  /**
   * Sets such an attribute and returns the event. Names are lower-case letters and digits.
   *
   * ```ts
   * event.setExtension("partitionkey", "customer-7");
   * ```
   */
  setExtension(name: string, value: string): CloudEvent {
    for (let i = 0; i < this.extensions.length; i += 2) {
      if (this.extensions[i] !== name) continue;
      this.extensions[i + 1] = value;
      return this;
    }
    this.extensions.push(name);
    this.extensions.push(value);
    return this;
  }

  /**
   * Names and values of all attributes that are set, for the SDK.
   *
   * ```ts
   * const names = event.attributes().length / 2;
   * ```
   */
  attributes(): string[] {
    const all = this.extensions.slice(0);
    push(all, "type", this.type);
    if (this.id.length > 0) push(all, "id", this.id);
    if (this.source.length > 0) push(all, "source", this.source);
    push(all, "subject", this.subject);
    push(all, "time", this.time);
    push(all, "datacontenttype", this.dataContentType);
    push(all, "dataschema", this.dataSchema);
    return all;
  }

  /**
   * Sets an attribute by its name in the specification, for the SDK.
   *
   * ```ts
   * event.setAttribute("subject", "order/7");
   * ```
   */
  setAttribute(name: string, value: string): void {
    if (name === "id") this.id = value;
    else if (name === "source") this.source = value;
    else if (name === "type") this.type = value;
    else if (name === "subject") this.subject = value;
    else if (name === "time") this.time = value;
    else if (name === "datacontenttype") this.dataContentType = value;
    else if (name === "dataschema") this.dataSchema = value;
    else if (name !== "specversion") this.setExtension(name, value);
  }
}

function push(all: string[], name: string, value: string | null): void {
  if (value === null) return;
  all.push(name);
  all.push(value);
}
