// One call, from the host's message to the host's message. Only the entry that `mayfly build`
// generates imports this:
//
//   export function mayfly_handle(length: i32): void {
//     receive(length) -> handle -> response.send()
//   }

import { request_read } from "./host/mayfly";
import { Request } from "./request";

/** Fetches the request message of `length` bytes. */
export function receive(length: i32): Request {
  const message = new ArrayBuffer(length);
  request_read(changetype<usize>(message));
  return new Request(message);
}
