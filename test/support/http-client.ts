// A plain HTTP client that may send any header, Host and Origin included, on a connection of its own.

import { request } from "node:http";

export type Ask = {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
};

export type Answer = {
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  header(name: string): string | undefined;
  json(): unknown;
};

/** One request to this machine; rejects when the connection ends without an answer. */
export function ask(port: number, method: string, path: string, rest: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      agent: false,
      headers: {
        ...(rest.body === undefined || rest.headers?.["transfer-encoding"] !== undefined
          ? {}
          : { "content-length": Buffer.byteLength(rest.body) }),
        ...rest.headers,
      },
    });
    let answered = false;
    sent.on("error", (error) => {
      // An early answer ends the upload; the answer counts.
      if (!answered) reject(error);
    });
    sent.on("response", (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          rawHeaders: response.rawHeaders,
          bytes,
          text: bytes.toString("utf8"),
          header: (name) => {
            const value = response.headers[name];
            return Array.isArray(value) ? value.join(", ") : value;
          },
          json: () => JSON.parse(bytes.toString("utf8")),
        });
      });
    });
    sent.end(rest.body);
  });
}
