// The imports and messages of docs/abi.md in plain JavaScript: the one way in which every peer that runs
// JavaScript (Node, Deno, Bun, workerd) runs the very bytes that Mayfly runs. No limits and no checks of
// what a guest says: what they cost is part of what is compared. Imports nothing, so that it runs anywhere.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * @typedef {{ method: string, url: string, headers: Iterable<[string, string]>, remoteAddress?: string }} Ask
 * @typedef {{ status: number, headers: [string, string][], body: Uint8Array<ArrayBuffer> }} Answer
 */

/**
 * The name of the function that a URL such as `http://host/fn/NAME?query` calls, and the request message
 * for it, without a body.
 *
 * @param {Ask} ask
 * @returns {{ name: string, message: Uint8Array<ArrayBuffer> }}
 */
export function requestMessage({ method, url, headers, remoteAddress = "127.0.0.1" }) {
  const { pathname, search } = new URL(url);
  const [, , name = "", ...path] = pathname.split("/");
  const pairs = [...headers];
  const texts = [method, url, `/${path.join("/")}`, search.slice(1), remoteAddress, ...pairs.flat()].map(
    (text) => encoder.encode(text),
  );
  const headBytes = texts.reduce((sum, text) => sum + 4 + text.length, 4);
  const message = new Uint8Array(4 + headBytes);
  const view = new DataView(message.buffer);
  view.setUint32(0, headBytes, true);
  let at = 4;
  texts.forEach((text, index) => {
    // The count of headers stands between the address and the first of them.
    if (index === 5) at = number(view, at, pairs.length);
    at = number(view, at, text.length);
    message.set(text, at);
    at += text.length;
  });
  if (pairs.length === 0) number(view, at, 0);
  return { name, message };
}

/**
 * @param {DataView} view
 * @param {number} at
 * @param {number} value
 * @returns {number} where the next field begins
 */
function number(view, at, value) {
  view.setUint32(at, value, true);
  return at + 4;
}

/**
 * @param {Uint8Array<ArrayBuffer>} message
 * @returns {Answer}
 */
export function decodeAnswer(message) {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 12;
  const text = () => {
    const length = view.getUint32(at, true);
    at += 4 + length;
    return decoder.decode(message.subarray(at - length, at));
  };
  /** @type {[string, string][]} */
  const headers = [];
  for (let left = view.getUint32(8, true); left > 0; left -= 1) headers.push([text(), text()]);
  return { status: view.getUint32(4, true), headers, body: message.subarray(at) };
}

/**
 * What a guest imports, over messages that its owner sets and takes.
 *
 * @param {() => ArrayBuffer} memory the guest's memory as it is now
 */
export function guestImports(memory) {
  const call = {
    /** @type {Uint8Array} */
    request: new Uint8Array(0),
    /** @type {Uint8Array<ArrayBuffer> | null} */
    response: null,
  };
  const imports = {
    mayfly: {
      /** @param {number} pointer */
      request_read: (pointer) => new Uint8Array(memory()).set(call.request, pointer >>> 0),
      /** @param {number} pointer @param {number} length */
      response_write: (pointer, length) => {
        call.response = new Uint8Array(memory(), pointer >>> 0, length >>> 0).slice();
      },
    },
    env: {
      abort: () => {
        throw new Error("The guest aborted");
      },
    },
  };
  return { call, imports };
}

/** One instance of a module. Made for one call, or kept for many: that is what the peers differ in. */
export class Guest {
  #call;
  #handle;

  /** @param {WebAssembly.Module} module */
  constructor(module) {
    const { call, imports } = guestImports(() => /** @type {ArrayBuffer} */ (memory.buffer));
    const instance = new WebAssembly.Instance(module, imports);
    const memory = /** @type {WebAssembly.Memory} */ (instance.exports["memory"]);
    this.#handle = /** @type {(length: number) => void} */ (instance.exports["mayfly_handle"]);
    this.#call = call;
  }

  /**
   * @param {Uint8Array} message a request message
   * @returns {Uint8Array<ArrayBuffer>} the response message
   */
  handle(message) {
    this.#call.request = message;
    this.#call.response = null;
    this.#handle(message.length);
    if (this.#call.response === null) throw new Error("The guest did not answer");
    return this.#call.response;
  }
}
