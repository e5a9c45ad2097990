// From a web standard Request to a Response: what the peers with that interface (Hono, Deno, Bun) have in
// common.

import { Guest, requestMessage } from "./guest-abi.js";
import { Modules } from "./modules.js";
import { webResponse } from "./web-response.js";

/**
 * A handler that makes a new instance for each call.
 *
 * @param {string} folder of the functions
 * @returns {(request: Request) => Promise<Response>}
 */
export function instancePerCall(folder) {
  const modules = new Modules(folder);
  return async (request) => {
    const { name, message } = requestMessage(request);
    return webResponse(new Guest(await modules.get(name)).handle(message));
  };
}

/**
 * A handler that keeps one instance of each function for all its calls.
 *
 * @param {string} folder of the functions
 * @returns {(request: Request) => Promise<Response>}
 */
export function instanceKept(folder) {
  const guests = keptGuests(folder);
  return async (request) => {
    const { name, message } = requestMessage(request);
    return webResponse((await guests(name)).handle(message));
  };
}

/**
 * One instance of each function, made when it is first called.
 *
 * @param {string} folder of the functions
 * @returns {(name: string) => Promise<Guest>}
 */
export function keptGuests(folder) {
  const modules = new Modules(folder);
  /** @type {Map<string, Guest>} */
  const guests = new Map();
  return async (name) => {
    let guest = guests.get(name);
    if (guest === undefined) {
      guest = new Guest(await modules.get(name));
      guests.set(name, guest);
    }
    return guest;
  };
}
