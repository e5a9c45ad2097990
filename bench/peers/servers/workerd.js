// A worker of workerd that makes a new instance for each call. The functions are modules of its bundle.

import { Guest, requestMessage } from "./guest-abi.js";
import { webResponse } from "./web-response.js";

export default {
  /** @param {Request} request */
  async fetch(request) {
    const { name, message } = requestMessage(request);
    const { default: module } = await import(`./${name}.wasm`);
    return webResponse(new Guest(module).handle(message));
  },
};
