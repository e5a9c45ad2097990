// One exchange whose bodies a test sends and reads piece by piece, on a connection of its own.

import { type ClientRequest, type IncomingMessage, request } from "node:http";

export type StreamAsk = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Sent at once, and the request ended; without it the test sends and ends by itself. */
  readonly body?: Uint8Array | string;
};

export class StreamClient {
  readonly request: ClientRequest;
  /** The head of the answer; rejects when there is none. */
  readonly answer: Promise<IncomingMessage>;

  private constructor(sent: ClientRequest) {
    this.request = sent;
    this.answer = new Promise((resolve, reject) => {
      sent.once("response", resolve);
      // Once there is an answer it is the one that tells what became of the connection.
      sent.on("error", reject);
    });
    this.answer.catch(() => {});
  }

  static open(
    port: number,
    path: string,
    { method = "GET", headers = {}, body }: StreamAsk = {},
  ): StreamClient {
    const sent = request({ host: "127.0.0.1", port, path, method, agent: false, headers });
    if (method === "GET" || method === "HEAD" || body !== undefined) sent.end(body);
    else sent.flushHeaders();
    return new StreamClient(sent);
  }

  /** Exactly so many bytes of the answer, waited for. */
  async read(bytes: number): Promise<Buffer> {
    const answer = await this.answer;
    return new Promise((resolve, reject) => {
      let came = Buffer.alloc(0);
      const settle = (): void => void answer.pause().off("data", take).off("close", gone);
      const gone = (): void => {
        settle();
        reject(new Error(`The answer ended after ${came.byteLength} of ${bytes} bytes`));
      };
      const take = (chunk: Buffer): void => {
        came = Buffer.concat([came, chunk]);
        if (came.byteLength < bytes) return;
        settle();
        if (came.byteLength > bytes) answer.unshift(came.subarray(bytes));
        resolve(came.subarray(0, bytes));
      };
      answer.on("data", take).on("close", gone).resume();
    });
  }

  /** The rest of the answer, and whether it ended as one that is whole. */
  async rest(onChunk: (chunk: Buffer) => void = () => {}): Promise<{ bytes: number; whole: boolean }> {
    const answer = await this.answer;
    let bytes = 0;
    return new Promise((resolve) => {
      answer.on("error", () => {});
      answer.on("close", () => resolve({ bytes, whole: answer.complete }));
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        onChunk(chunk);
      });
      answer.resume();
    });
  }

  close(): void {
    this.request.on("error", () => {});
    this.request.destroy();
  }
}
