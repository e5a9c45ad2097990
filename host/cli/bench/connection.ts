// One kept HTTP/1.1 connection that sends the same bytes again and again and says when each answer had
// come whole. On plain sockets, because node:http takes more of the machine than the host under test.
// It reads bodies of any framing (RFC 9112, section 6.3) and keeps those of answers from status 400 on.

import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { headerOf, statusOf } from "./answer-head.ts";

export type Exchange = {
  readonly status: number;
  /** Status line and headers as they came, one character a byte. */
  readonly head: string;
  /** The first bytes of a body from status 400 on, else empty. */
  readonly body: string;
  /** `performance.now()` when the request was written, and when the last byte of the answer was there. */
  readonly sentAtMs: number;
  readonly endedAtMs: number;
};

/** The connection ended before an answer was whole. */
export class ConnectionLost extends Error {
  /** Whether it had been idle: the other side may close such a one at any time, and the request goes again. */
  readonly wasIdle: boolean;

  constructor(message: string, wasIdle: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = "ConnectionLost";
    this.wasIdle = wasIdle;
  }
}

const headBytesMax = 256 * 1024;
const keptBodyBytesMax = 64 * 1024;
const connectTimeoutMs = 10_000;
const headEnd = Buffer.from("\r\n\r\n");
const noBytes: Buffer = Buffer.alloc(0);

/** What is left of an answer: bytes of a known number, chunks, or all until the end. */
type Rest = { kind: "bytes"; left: number } | { kind: "chunks"; left: number } | { kind: "all" };

type Waiting = {
  readonly sentAtMs: number;
  readonly withoutBody: boolean;
  readonly resolve: (exchange: Exchange) => void;
  readonly reject: (error: ConnectionLost) => void;
};

export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | null = null;
  #used = false;
  #closed = false;
  #buffered = noBytes;
  #head: string | null = null;
  #rest: Rest = { kind: "bytes", left: 0 };
  #body = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (error) => this.#ended(error));
    socket.on("close", () => this.#ended(undefined));
  }

  /** Rejects with the socket's error. */
  static open(base: URL): Promise<Connection> {
    const host = base.hostname.replace(/^\[(.*)\]$/, "$1");
    const port = Number(base.port) || (base.protocol === "https:" ? 443 : 80);
    return new Promise((resolve, reject) => {
      const socket =
        base.protocol === "https:"
          ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) })
          : connectPlain({ host, port });
      const timer = setTimeout(() => {
        socket.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" }));
      }, connectTimeoutMs);
      socket.once("close", () => clearTimeout(timer));
      socket.once("error", reject);
      socket.once(base.protocol === "https:" ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        socket.off("error", reject);
        resolve(new Connection(socket));
      });
    });
  }

  /** Whether it takes no further request. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends one request; the one before must have been answered. `method` decides whether a body comes. */
  exchange(request: Uint8Array, method: string): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new ConnectionLost("the connection is closed", true));
      const sentAtMs = performance.now();
      this.#waiting = { sentAtMs, withoutBody: method === "HEAD", resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    if (this.#waiting === null) return this.close();
    try {
      while (this.#waiting !== null && (this.#head === null ? this.#readHead() : this.#readBody()));
    } catch (error) {
      this.#ended(error);
    }
  }

  /** Whether there may be more to read. */
  #readHead(): boolean {
    const end = this.#buffered.indexOf(headEnd);
    if (end === -1) {
      if (this.#buffered.length > headBytesMax) throw new Error("the answer's head has no end");
      return false;
    }
    const head = this.#buffered.toString("latin1", 0, end);
    this.#buffered = this.#buffered.subarray(end + headEnd.length);
    const status = statusOf(head);
    if (status === null) throw new Error("the answer is not HTTP");
    if (status >= 100 && status < 200) return true;
    this.#head = head;
    this.#body = "";
    this.#rest = this.#framing(head, status);
    return true;
  }

  #framing(head: string, status: number): Rest {
    if (this.#waiting?.withoutBody === true || status === 204 || status === 304)
      return { kind: "bytes", left: 0 };
    if (/\bchunked\s*$/i.test(headerOf(head, "transfer-encoding") ?? "")) return { kind: "chunks", left: -1 };
    const length = headerOf(head, "content-length");
    if (length === null) return { kind: "all" };
    if (!/^\d{1,15}$/.test(length)) throw new Error("the answer's length is no number");
    return { kind: "bytes", left: Number(length) };
  }

  #readBody(): boolean {
    if (this.#rest.kind === "chunks") return this.#readChunk(this.#rest);
    const bytes = this.#rest.kind === "all" ? this.#buffered.length : this.#rest.left;
    const taken = Math.min(bytes, this.#buffered.length);
    this.#take(taken);
    if (this.#rest.kind === "all") return false;
    this.#rest.left -= taken;
    if (this.#rest.left > 0) return false;
    this.#answered();
    return false;
  }

  /** `left` is -1 before the line with a chunk's size, and counts the line break after the chunk. */
  #readChunk(rest: { left: number }): boolean {
    if (rest.left > 0) {
      const taken = Math.min(rest.left, this.#buffered.length);
      this.#take(taken);
      rest.left -= taken;
      if (rest.left > 0) return false;
      rest.left = -1;
    }
    const lineEnd = this.#buffered.indexOf("\r\n");
    if (lineEnd === -1) return false;
    const size = Number.parseInt(this.#buffered.toString("latin1", 0, lineEnd), 16);
    if (!Number.isSafeInteger(size)) throw new Error("a chunk's size is no number");
    if (size > 0) {
      this.#buffered = this.#buffered.subarray(lineEnd + 2);
      rest.left = size + 2;
      return true;
    }
    // The last chunk; trailers may follow, and an empty line ends them.
    const end = this.#buffered.indexOf(headEnd, lineEnd);
    if (end === -1) return false;
    this.#buffered = this.#buffered.subarray(end + headEnd.length);
    this.#answered();
    return false;
  }

  #take(bytes: number): void {
    const keeps = (statusOf(this.#head ?? "") ?? 0) >= 400 && this.#body.length < keptBodyBytesMax;
    if (keeps) this.#body += this.#buffered.toString("latin1", 0, bytes);
    this.#buffered = this.#buffered.subarray(bytes);
  }

  #answered(): void {
    const endedAtMs = performance.now();
    const waiting = this.#waiting;
    const head = this.#head ?? "";
    this.#waiting = null;
    this.#head = null;
    this.#used = true;
    if (/^close$/i.test(headerOf(head, "connection") ?? "")) this.close();
    const body = Buffer.from(this.#body, "latin1").toString("utf8");
    waiting?.resolve({ status: statusOf(head) ?? 0, head, body, sentAtMs: waiting.sentAtMs, endedAtMs });
  }

  #ended(error: unknown): void {
    // An answer without a length ends with its connection.
    if (error === undefined && this.#waiting !== null && this.#head !== null && this.#rest.kind === "all") {
      this.#closed = true;
      return this.#answered();
    }
    this.close();
    const waiting = this.#waiting;
    this.#waiting = null;
    const wasIdle = this.#used && this.#head === null && this.#buffered.length === 0;
    const reason = error instanceof Error ? error.message : "the connection was closed";
    waiting?.reject(new ConnectionLost(reason, wasIdle, error));
  }
}
