// What `mayfly build --reuse` puts before a script: fetch events, as many in the life of an instance as come. The
// engine's own event is made once, when the component is built, and takes one response. Runs in the engine.

import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from "wasi:http/types@0.2.10";

const listeners = [];
const addOther = globalThis.addEventListener;

globalThis.addEventListener = (type, listener, options) => {
  if (type === "fetch") listeners.push(listener);
  else addOther(type, listener, options);
};

class FetchEvent {
  type = "fetch";
  request;
  /** What was given to respondWith; null as long as nothing was. */
  answer = null;
  /** What goes on behind the response. */
  work = [];

  constructor(request) {
    this.request = request;
  }

  respondWith(response) {
    if (this.answer !== null) throw new DOMException("respondWith was called twice", "InvalidStateError");
    this.answer = Promise.resolve(response);
    // Looked at when all listeners have been told.
    this.answer.catch(() => {});
  }

  waitUntil(work) {
    this.work.push(work);
  }
}

export const incomingHandler = {
  async handle(incoming, outparam) {
    const event = new FetchEvent(requestOf(incoming));
    await send(await responseTo(event), outparam);
    for (const { status, reason } of await Promise.allSettled(event.work)) {
      if (status === "rejected") console.error("A promise given to waitUntil was rejected:", reason);
    }
    incoming[Symbol.dispose]();
  },
};

async function responseTo(event) {
  for (const listener of listeners) {
    try {
      if (typeof listener === "function") listener.call(globalThis, event);
      else listener.handleEvent(event);
    } catch (error) {
      console.error("A listener for fetch threw:", error);
    }
  }
  try {
    const response = await event.answer;
    if (response instanceof Response) return response;
    console.error(event.answer === null ? "Nothing called respondWith" : "respondWith got no Response");
  } catch (error) {
    console.error("Error while handling the request:", error);
  }
  return new Response(null, { status: 500 });
}

function requestOf(incoming) {
  const { tag, val } = incoming.method();
  const method = tag === "other" ? val : tag.toUpperCase();
  const scheme = incoming.scheme()?.tag === "HTTPS" ? "https" : "http";
  const url = `${scheme}://${incoming.authority() ?? "localhost"}${incoming.pathWithQuery() ?? "/"}`;
  const headers = new Headers();
  const fields = incoming.headers();
  for (const [name, value] of fields.entries()) headers.append(name, String.fromCharCode(...value));
  fields[Symbol.dispose]();
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
  return new Request(url, { method, headers, body: bodyOf(incoming) });
}

/** Read when it is asked for, and no further. */
function bodyOf(incoming) {
  const body = incoming.consume();
  const input = body.stream();
  const readBytesMax = 65_536n;
  const pull = (controller) => {
    try {
      controller.enqueue(input.blockingRead(readBytesMax));
    } catch ({ payload }) {
      if (payload?.tag === "closed") controller.close();
      else controller.error(new TypeError("The body of the request broke off"));
      input[Symbol.dispose]();
      body[Symbol.dispose]();
    }
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

async function send(response, outparam) {
  const entries = [...response.headers].map(([name, value]) => [name, bytesOf(value)]);
  const outgoing = new OutgoingResponse(Fields.fromList(entries));
  outgoing.setStatusCode(response.status);
  const body = outgoing.body();
  ResponseOutparam.set(outparam, { tag: "ok", val: outgoing });
  if (response.body !== null) await write(response.body, body);
  OutgoingBody.finish(body, undefined);
}

/** Values of headers are strings of bytes. */
function bytesOf(value) {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

async function write(from, body) {
  const output = body.write();
  for await (const bytes of chunks(from)) {
    for (let at = 0; at < bytes.length; ) {
      const room = Number(output.checkWrite());
      if (room === 0) output.blockingFlush();
      output.write(bytes.subarray(at, at + room));
      at += room;
    }
  }
  output.blockingFlush();
  output[Symbol.dispose]();
}

async function* chunks(stream) {
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}
