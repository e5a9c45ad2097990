// A worker of workerd that runs each function in an isolate of its own, loaded when the function is first
// called: the module's bytes come from the disk service. In its isolate each call gets a new instance.

import abi from "guest-abi.txt";
import webResponse from "web-response.txt";
import functionWorker from "workerd-function.txt";

/** @typedef {{ get(name: string, load: () => Promise<object>): { getEntrypoint(): Fetcher } }} Loader */
/** @typedef {{ fetch(request: Request | string): Promise<Response> }} Fetcher */

export default {
  /** @param {Request} request @param {{ loader: Loader, functions: Fetcher }} env */
  async fetch(request, env) {
    const [, , name = ""] = new URL(request.url).pathname.split("/");
    const worker = env.loader.get(name, async () => {
      const file = await env.functions.fetch(`http://functions/${name}.wasm`);
      return {
        compatibilityDate: "2026-01-01",
        mainModule: "workerd-function.js",
        modules: {
          "workerd-function.js": functionWorker,
          "guest-abi.js": abi,
          "web-response.js": webResponse,
          "function.wasm": { wasm: await file.arrayBuffer() },
        },
        globalOutbound: null,
      };
    });
    return worker.getEntrypoint().fetch(request);
  },
};
