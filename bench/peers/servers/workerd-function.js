// The worker around one function, in the isolate that workerd-loader.js has loaded for it.

import module from "./function.wasm";
import { Guest, requestMessage } from "./guest-abi.js";
import { webResponse } from "./web-response.js";

export default {
  /** @param {Request} request */
  fetch(request) {
    const { message } = requestMessage(request);
    return webResponse(new Guest(module).handle(message));
  },
};
