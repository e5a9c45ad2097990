// One TCP connection on which a test writes what it likes and reads answers byte by byte, as an
// attacker would: no client library repairs what is sent or received.

import { connect, type Socket } from "node:net";

export type RawAnswer = {
  readonly status: number;
  /** Header lines as they came, without the status line. */
  readonly lines: readonly string[];
  readonly body: Buffer;
  header(name: string): string | undefined;
};

export class RawConnection {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => this.#wake?.();
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      wake();
    });
    socket.on("end", () => {
      this.#ended = true;
      wake();
    });
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  write(text: string | Uint8Array): this {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
    return this;
  }

  /** The next answer; null when the connection ended first. `head` says it answers a HEAD. */
  async answer(
    options: { readonly head?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<RawAnswer | null> {
    const { head = false, timeoutMs = 15_000 } = options;
    const endMs = performance.now() + timeoutMs;
    const end = await this.#until(() => this.#received.indexOf("\r\n\r\n"), endMs);
    if (end === -1) return null;
    const [statusLine = "", ...lines] = this.#received.subarray(0, end).toString("latin1").split("\r\n");
    this.#received = this.#received.subarray(end + 4);
    const status = Number(statusLine.split(" ")[1]);
    const header = (name: string): string | undefined =>
      lines
        .find((line) => line.toLowerCase().startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    const length = Number(header("content-length") ?? 0);
    const bodyBytes = head || status === 204 || status === 304 ? 0 : length;
    const there = await this.#until(() => (this.#received.length >= bodyBytes ? 0 : -1), endMs);
    if (there === -1) throw new Error(`The answer ended inside its body: ${statusLine}`);
    const body = this.#received.subarray(0, bodyBytes);
    this.#received = this.#received.subarray(bodyBytes);
    return { status, lines, body, header };
  }

  /** Resolves with what was left unread once the other side has closed. */
  async rest(timeoutMs = 15_000): Promise<Buffer> {
    await this.#until(() => (this.#ended ? 0 : -1), performance.now() + timeoutMs);
    return this.#received;
  }

  close(): void {
    this.socket.destroy();
  }

  /** Waits for a found position; -1 when the connection ended without it. */
  async #until(find: () => number, endMs: number): Promise<number> {
    for (;;) {
      const found = find();
      if (found !== -1 || this.#ended) return found;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0)
        throw new Error(`Waited in vain; so far came ${JSON.stringify(this.#received.toString("latin1"))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Sends one request as it is on a connection of its own and reads the first answer. */
export async function rawAsk(port: number, text: string | Uint8Array): Promise<RawAnswer | null> {
  const connection = await RawConnection.open(port);
  try {
    return await connection.write(text).answer();
  } finally {
    connection.close();
  }
}
