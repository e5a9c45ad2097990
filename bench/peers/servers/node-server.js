// An HTTP server on bare node:http that leaves each call to one function: what the peers that run on Node
// have in common. Prints where it listens.

import { createServer } from "node:http";
import { decodeAnswer, requestMessage } from "./guest-abi.js";

/**
 * @param {(name: string, message: Uint8Array<ArrayBuffer>, gone: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>} run
 *   answers one request message; `gone` is aborted when the client has left
 */
export function serveNode(run) {
  const server = createServer(async (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const { name, message } = requestMessage({
      method: request.method ?? "GET",
      url: `http://${request.headers.host}${request.url}`,
      headers: Object.entries(request.headers).map(([key, value]) => [key, String(value)]),
    });
    try {
      const { status, headers, body } = decodeAnswer(await run(name, message, gone.signal));
      const fields = { ...Object.fromEntries(headers), "content-length": body.length };
      response.writeHead(status, fields).end(body);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    console.log(`listening on http://127.0.0.1:${port}`);
  });
}
